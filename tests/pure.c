/* SPDX-License-Identifier: BSD-2-Clause */
/* Linked with one pure room, whole, and only what that room may depend on: it must link. */
int main(void)
{
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* control/client.c, against the server in this process or its parent. */
#include "service.h"

#include "control/client.h"
#include "loop/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int read_only_client(void)
{
	NV_AUTO(nv_client) struct nv_client *client = NULL;
	NV_AUTO(nv_free) char *error = NULL;
	json_auto_t *params = json_pack("{s:i}", "a", 1);
	json_auto_t *result = NULL;

	CHECK(nv_client_open(t.dir, &client) == 0);
	CHECK(nv_client_call(client, "echo", params, &result, &error) == 0);
	CHECK(json_equal(params, result) && !error);
	CHECK(nv_client_call(client, "change", NULL, &result, &error) == -EPERM);
	CHECK(error && strstr(error, "root"));
	return 0;
}

static int changing_client(void)
{
	NV_AUTO(nv_client) struct nv_client *client = NULL;
	NV_AUTO(nv_free) char *error = NULL;
	json_auto_t *result = NULL;

	CHECK(nv_client_open(t.dir, &client) == 0);
	CHECK(nv_client_call(client, "change", NULL, &result, &error) == 0);
	CHECK(json_is_true(result));
	CHECK(nv_client_call(client, "fail", NULL, &result, &error) == -ENODEV);
	CHECK(nv_streq(error, "No such device"));
	return 0;
}

static void changing_is_for_root(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip();
	serve(read_only_client, NOBODY);
	assert_int_equal(t.changed, 0);
	serve(changing_client, 0);
	assert_int_equal(t.changed, 1);
}

static int pairs_client(void)
{
	NV_AUTO(nv_client) struct nv_client *client = NULL;
	NV_AUTO(nv_free) char *error = NULL;
	json_auto_t *all = json_pack("{s[iiiiiii]}", "pairs", 10, 20, 30, 40, 50, 60, 70);
	json_auto_t *result = NULL;
	json_t *none = NULL;

	CHECK(nv_client_open(t.dir, &client) == 0);
	CHECK(nv_client_call_pairs(client, "pairs", &result, &error) == 0);
	CHECK(json_equal(all, result) && !error);
	CHECK(nv_client_call_pairs(client, "fail", &none, &error) == -ENODEV);
	CHECK(error && !none);
	return 0;
}

static void pairs_that_come_in_parts_are_put_together(void **state)
{
	(void)state;
	serve(pairs_client, 0);
}

static int streaming_client(void)
{
	NV_AUTO(nv_client) struct nv_client *client = NULL;
	NV_AUTO(nv_client) struct nv_client *other = NULL;
	NV_AUTO(nv_free) char *error = NULL;
	json_auto_t *result = NULL;
	json_t *line = NULL;

	CHECK(nv_client_open(t.dir, &client) == 0);
	CHECK(nv_client_call(client, "events", NULL, &result, &error) == 0);
	CHECK(nv_client_open(t.dir, &other) == 0);
	CHECK(nv_client_call(other, "flood", NULL, &result, &error) == 0);
	CHECK(nv_client_next(client, &line) == 0);
	CHECK(json_string_length(json_object_get(line, "event")) == 65536);
	json_decref(line);
	while (nv_client_next(client, &line) == 0)
		json_decref(line);
	CHECK(nv_client_next(client, &line) == -EPIPE);
	return 0;
}

static void client_reads_a_stream_to_its_end(void **state)
{
	(void)state;
	serve(streaming_client, 0);
}

/* It connected, and was never accepted. */
static void server_that_ends_is_told(void **state)
{
	NV_AUTO(nv_client) struct nv_client *asking = NULL;
	NV_AUTO(nv_client) struct nv_client *listening = NULL;
	json_t *result = NULL;
	char *error = NULL;

	(void)state;
	assert_int_equal(nv_client_open(t.dir, &asking), 0);
	assert_int_equal(nv_client_open(t.dir, &listening), 0);
	t.control = nv_control_free(t.control);
	assert_int_equal(nv_client_call(asking, "echo", NULL, &result, &error), -EPIPE);
	assert_int_equal(nv_client_next(listening, &result), -EPIPE);
	assert_null(result);
	assert_null(error);
}

static void client_without_a_server_is_told(void **state)
{
	struct nv_client *client = NULL;

	(void)state;
	assert_int_equal(nv_client_open("/nonexistent", &client), -ENOENT);
	t.control = nv_control_free(t.control);
	assert_int_equal(nv_client_open(t.dir, &client), -ECONNREFUSED);
	assert_null(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(changing_is_for_root),
		TEST(pairs_that_come_in_parts_are_put_together),
		TEST(client_reads_a_stream_to_its_end),
		TEST(server_that_ends_is_told),
		TEST(client_without_a_server_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

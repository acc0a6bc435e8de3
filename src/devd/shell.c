/* SPDX-License-Identifier: BSD-2-Clause */
#include "devd/shell.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>

struct nv_shell {
	char *path;
	char **env;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t files;
};

static bool shell_same_name(const char *a, const char *b)
{
	size_t length = strcspn(a, "=");

	return length == strcspn(b, "=") && memcmp(a, b, length) == 0;
}

static bool shell_is_overridden(const char *entry, const char *const *env)
{
	for (; *env; env++)
		if (shell_same_name(entry, *env))
			return true;
	return false;
}

static size_t shell_count(const char *const *entries)
{
	size_t n = 0;

	while (entries[n])
		n++;
	return n;
}

static char **shell_free_env(char **env)
{
	for (char **entry = env; entry && *entry; entry++)
		free(*entry);
	free(env);
	return NULL;
}

NV_DEFINE_AUTO(shell_free_env, char **, shell_free_env);

static int shell_merge_env(const char *const *base, const char *const *over, char ***ret_env)
{
	NV_AUTO(shell_free_env)
	char **env = calloc(shell_count(base) + shell_count(over) + 1, sizeof(*env));
	size_t n = 0;

	if (!env)
		return -ENOMEM;
	for (; *base; base++)
		if (!shell_is_overridden(*base, over) && !(env[n++] = strdup(*base)))
			return -ENOMEM;
	for (; *over; over++)
		if (!(env[n++] = strdup(*over)))
			return -ENOMEM;
	*ret_env = TAKE_PTR(env);
	return 0;
}

static int shell_set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all;
	sigset_t none;
	int r;

	sigfillset(&all);
	sigemptyset(&none);
	r = posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if (r == 0)
		r = posix_spawnattr_setpgroup(attributes, 0);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attributes, &all);
	if (r == 0)
		r = posix_spawnattr_setsigmask(attributes, &none);
	return -r;
}

static int shell_set_files(posix_spawn_file_actions_t *files)
{
	int r = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	/* Uses close_range(2) (Linux 5.9); before that the C library walks /proc/self/fd. */
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	if (r == 0)
		r = posix_spawn_file_actions_addchdir_np(files, "/");
	return -r;
}

int nv_shell_new(const char *path, const char *const *env, struct nv_shell **ret_shell)
{
	NV_AUTO(nv_shell) struct nv_shell *shell = calloc(1, sizeof(*shell));
	static const char *const nothing[] = {NULL};
	const char *const *base = environ ? (const char *const *)environ : nothing;
	int r;

	if (!shell)
		return -ENOMEM;
	/* Neither fails in the GNU C library, and both must be called before nv_shell_free(). */
	posix_spawnattr_init(&shell->attributes);
	posix_spawn_file_actions_init(&shell->files);
	shell->path = strdup(path);
	if (!shell->path)
		return -ENOMEM;
	r = shell_merge_env(base, env ? env : nothing, &shell->env);
	if (r == 0)
		r = shell_set_attributes(&shell->attributes);
	if (r == 0)
		r = shell_set_files(&shell->files);
	if (r < 0)
		return r;
	*ret_shell = TAKE_PTR(shell);
	return 0;
}

struct nv_shell *nv_shell_free(struct nv_shell *shell)
{
	if (!shell)
		return NULL;
	posix_spawnattr_destroy(&shell->attributes);
	posix_spawn_file_actions_destroy(&shell->files);
	shell_free_env(shell->env);
	free(shell->path);
	free(shell);
	return NULL;
}

/* The path and words of a command in which a shell would only remove quotes. */
struct plain {
	char *text; /* the words, each ending with a NUL */
	char **argv;
};

static void plain_auto(struct plain *plain)
{
	free(plain->text);
	free(plain->argv);
}

static bool shell_is_plain(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_./,:@%+-", c));
}

/* Copies one word without its quotes to @end; NULL: it is not plain. */
static char *shell_copy_word(const char **at, char *end)
{
	const char *c = *at;

	while (*c && *c != ' ') {
		if (*c == '\'') {
			const char *close = strchr(c + 1, '\'');

			if (!close)
				return NULL;
			end = mempcpy(end, c + 1, close - c - 1);
			c = close + 1;
		} else if (shell_is_plain(*c)) {
			*end++ = *c++;
		} else {
			return NULL;
		}
	}
	*end++ = '\0';
	*at = c;
	return end;
}

/* False: the command needs a shell, or memory is short. */
static bool shell_split_plain(const char *command, struct plain *plain)
{
	size_t length = strlen(command);
	size_t n = 0;
	char *end;

	if (command[0] != '/')
		return false;
	plain->text = malloc(length + 1);
	plain->argv = calloc(length / 2 + 2, sizeof(*plain->argv));
	if (!plain->text || !plain->argv)
		return false;
	end = plain->text;
	for (const char *at = command; *at;) {
		plain->argv[n++] = end;
		end = shell_copy_word(&at, end);
		if (!end)
			return false;
		at += strspn(at, " ");
	}
	return true;
}

static int shell_spawn(const struct nv_shell *shell, char *const *argv, pid_t *ret_pid)
{
	return -posix_spawn(ret_pid, argv[0], &shell->files, &shell->attributes, argv, shell->env);
}

int nv_shell_run(const struct nv_shell *shell, const char *command, pid_t *ret_pid)
{
	/* After `--`, a command that begins with `-` is not an option. */
	char *const argv[] = {shell->path, (char *)"-c", (char *)"--", (char *)command, NULL};
	NV_AUTO(plain) struct plain plain = {};

	/* If this cannot be started (no such file, a script without #!), the shell reports it. */
	if (shell_split_plain(command, &plain) && shell_spawn(shell, plain.argv, ret_pid) == 0)
		return 0;
	return shell_spawn(shell, argv, ret_pid);
}

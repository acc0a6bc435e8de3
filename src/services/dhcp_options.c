/* SPDX-License-Identifier: BSD-2-Clause */
#include "services/dhcp_options.h"

#include <string.h>

enum dhcp_option_use {
	OPTION_ALONE,
	OPTION_JOINED, /* its value, if any, is the rest of the word */
	OPTION_VALUE,
	OPTION_FILE, /* its value is a file */
	OPTION_OURS, /* to be left out */
	OPTION_OURS_VALUE,
	OPTION_GIVES_UP, /* it would end where no server answers; only rc.conf may say so */
};

struct dhcp_option {
	const char *word;
	enum dhcp_option_use use;
	const char *longer; /* the long form; NULL: there is none */
};

/* dhclient(8). */
static const struct dhcp_option dhclient_options[] = {
	{"-d", OPTION_OURS},
	{"-nw", OPTION_OURS},
	{"-w", OPTION_OURS},
	{"-n", OPTION_OURS},
	{"-b", OPTION_OURS},
	{"-pf", OPTION_OURS_VALUE},
	{"-lf", OPTION_OURS_VALUE},
	{"-4", OPTION_ALONE},
	{"-6", OPTION_ALONE},
	{"-1", OPTION_GIVES_UP},
	{"-B", OPTION_ALONE},
	{"-I", OPTION_ALONE},
	{"-N", OPTION_ALONE},
	{"-P", OPTION_ALONE},
	{"-S", OPTION_ALONE},
	{"-T", OPTION_ALONE},
	{"-i", OPTION_ALONE},
	{"-q", OPTION_ALONE},
	{"-v", OPTION_ALONE},
	{"-4o6", OPTION_VALUE},
	{"-D", OPTION_VALUE},
	{"-e", OPTION_VALUE},
	{"-g", OPTION_VALUE},
	{"-p", OPTION_VALUE},
	{"-s", OPTION_VALUE},
	{"--address-prefix-len", OPTION_VALUE},
	{"--dad-wait-time", OPTION_VALUE},
	{"--decline-wait-time", OPTION_VALUE},
	{"--prefix-len-hint", OPTION_VALUE},
	{"-cf", OPTION_FILE},
	{"-df", OPTION_FILE},
	{"-sf", OPTION_FILE},
	{},
};

/* The options of a running dhcpcd are not known: it overwrites its command line with a title. */
static const struct dhcp_option dhcpcd_options[] = {
	{"-b", OPTION_OURS, "--background"},
	{"-B", OPTION_OURS, "--nobackground"},
	{},
};

/* busybox udhcpc --help; the long forms are in its source, networking/udhcp/dhcpc.c. */
static const struct dhcp_option udhcpc_options[] = {
	{"-f", OPTION_OURS, "--foreground"},
	{"-b", OPTION_OURS, "--background"},
	{"-q", OPTION_OURS, "--quit"},
	{"-n", OPTION_OURS, "--now"},
	{"-i", OPTION_OURS_VALUE, "--interface"},
	{"-p", OPTION_OURS_VALUE, "--pidfile"},
	{"-B", OPTION_ALONE, "--broadcast"},
	{"-C", OPTION_ALONE, "--clientid-none"},
	{"-R", OPTION_ALONE, "--release"},
	{"-S", OPTION_ALONE, "--syslog"},
	{"-o", OPTION_ALONE, "--no-default-options"},
	{"-v", OPTION_ALONE},
	{"-a", OPTION_JOINED, "--arping"},
	{"-A", OPTION_VALUE, "--tryagain"},
	{"-F", OPTION_VALUE, "--fqdn"},
	{"-O", OPTION_VALUE, "--request-option"},
	{"-P", OPTION_VALUE, "--client-port"},
	{"-T", OPTION_VALUE, "--timeout"},
	{"-V", OPTION_VALUE, "--vendorclass"},
	{"-r", OPTION_VALUE, "--request"},
	{"-t", OPTION_VALUE, "--retries"},
	{"-x", OPTION_VALUE},
	{"-s", OPTION_FILE, "--script"},
	{},
};

static const struct dhcp_option *const options_of[] = {
	[NV_DHCP_DHCLIENT] = dhclient_options,
	[NV_DHCP_DHCPCD] = dhcpcd_options,
	[NV_DHCP_UDHCPC] = udhcpc_options,
};

struct options_reading {
	const struct dhcp_option *known;
	const struct nv_words *words;
	size_t at;
	bool known_only;
	struct nv_words *options;
};

/* *ret_value: the text after '=' in @word, NULL if there is no '='. */
static const struct dhcp_option *dhcp_option_find(
	const struct dhcp_option *known, const char *word, const char **ret_value)
{
	for (; known->word; known++) {
		size_t length = known->longer ? strlen(known->longer) : 0;

		*ret_value = NULL;
		if (nv_streq(word, known->word) || nv_streq(word, known->longer))
			return known;
		*ret_value = word + length + 1;
		if (length && strncmp(word, known->longer, length) == 0 && word[length] == '=')
			return known;
	}
	return NULL;
}

static int dhcp_option_add(
	struct options_reading *reading, const struct dhcp_option *option, const char *value)
{
	int r = 0;

	switch (option->use) {
	case OPTION_OURS:
		return 0;
	case OPTION_GIVES_UP:
		if (reading->known_only)
			return 0;
		return nv_words_add(reading->options, "%s", option->word);
	case OPTION_ALONE:
		return nv_words_add(reading->options, "%s", option->word);
	case OPTION_JOINED:
		return nv_words_add(reading->options, "%s%s", option->word, value ? value : "");
	case OPTION_OURS_VALUE:
	case OPTION_VALUE:
	case OPTION_FILE:
		if (!value && reading->at + 1 < reading->words->count)
			value = reading->words->word[++reading->at];
		if (!value || option->use == OPTION_OURS_VALUE)
			return 0;
		r = nv_words_add(reading->options, "%s", option->word);
		return r < 0 ? r : nv_words_add(reading->options, "%s", value);
	}
	return r;
}

static bool dhcp_option_takes_rest(const struct dhcp_option *option)
{
	return option && option->use != OPTION_ALONE && option->use != OPTION_OURS &&
	       option->use != OPTION_GIVES_UP;
}

/*
 * Several letters in one word: the first one that takes a value has the rest of the word as its
 * value, if there is any.
 */
static int dhcp_options_joined(struct options_reading *reading, const char *letters)
{
	for (; *letters; letters++) {
		const char word[] = {'-', *letters, '\0'};
		const char *value;
		const struct dhcp_option *option = dhcp_option_find(reading->known, word, &value);
		bool last = dhcp_option_takes_rest(option);
		int r = 0;

		if (option)
			r = dhcp_option_add(
				reading, option, last && letters[1] ? letters + 1 : NULL);
		else if (!reading->known_only)
			r = nv_words_add(reading->options, "%s", word);
		if (r < 0 || last)
			return r;
	}
	return 0;
}

static int dhcp_options_read(struct options_reading *reading, enum nv_dhcp_kind kind)
{
	const char *word = reading->words->word[reading->at];
	const char *value;
	const struct dhcp_option *option = dhcp_option_find(reading->known, word, &value);

	if (option)
		return dhcp_option_add(reading, option, value);
	if (kind == NV_DHCP_UDHCPC && word[0] == '-' && word[1] != '-')
		return dhcp_options_joined(reading, word + 1);
	return reading->known_only ? 0 : nv_words_add(reading->options, "%s", word);
}

int nv_dhcp_options(enum nv_dhcp_kind kind, const struct nv_words *words, size_t first,
	bool known_only, struct nv_words *options)
{
	struct options_reading reading = {
		.known = options_of[kind],
		.words = words,
		.known_only = known_only,
		.options = options,
	};

	for (reading.at = first; reading.at < words->count; reading.at++) {
		int r = dhcp_options_read(&reading, kind);

		if (r < 0)
			return r;
	}
	return 0;
}

bool nv_dhcp_option_is_file(enum nv_dhcp_kind kind, const char *word)
{
	const char *value;
	const struct dhcp_option *option = dhcp_option_find(options_of[kind], word, &value);

	return option && option->use == OPTION_FILE;
}

const char *nv_dhcp_option_value(const struct nv_words *words, const char *option)
{
	for (size_t i = 0; i + 1 < words->count; i++)
		if (strcmp(words->word[i], option) == 0)
			return words->word[i + 1];
	return NULL;
}

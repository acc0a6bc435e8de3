/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grammar of devd.conf(5). A missing semicolon, a missing priority and any misplaced word are
 * reported, and the parse continues after them.
 */
%require "3.8"
%define api.pure full
%define api.prefix {nv_conf_yy}
%define lr.default-reduction consistent
%define parse.error custom
%define parse.lac full
%locations
%parse-param {struct nv_conf *conf}
%param {void *scanner}

%code requires {
#include "devd/conf.h"
}
%code top {
#include <errno.h>
}

%union {
	char *text;
	unsigned int number;
	enum nv_event_kind kind;
}
%destructor { free($$); } <text>

%code {
int nv_conf_yylex(NV_CONF_YYSTYPE *value, NV_CONF_YYLTYPE *at, void *scanner);
static void nv_conf_yyerror(
	NV_CONF_YYLTYPE *at, struct nv_conf *conf, void *scanner, const char *message);

static struct nv_place place_of(const NV_CONF_YYLTYPE *at)
{
	return (struct nv_place){at->first_line, at->first_column};
}
}

%token OPTIONS "options" SET "set" DIRECTORY "directory" PID_FILE "pid-file"
%token ATTACH "attach" DETACH "detach" NOMATCH "nomatch" NOTIFY "notify"
%token MATCH "match" ACTION "action" DEVICE_NAME "device-name" MEDIA_TYPE "media-type"
%token CLASS "class" SUBDEVICE "subdevice"
%token <text> STRING "a string" ID "a name"
%token <number> NUMBER "a priority number"
%token YYEOF 0 "the end of the file"
%type <kind> kind
%type <number> priority

%%

file:
	%empty
|	file statement
;

statement:
	OPTIONS '{' option_list '}' end
|	kind priority '{' { nv_conf_begin_rule(conf, $1, $2, place_of(&@1)); } sub_list '}' end
		{ nv_conf_end_rule(conf); }
|	error
;

kind:
	ATTACH	{ $$ = NV_EVENT_ATTACH; }
|	DETACH	{ $$ = NV_EVENT_DETACH; }
|	NOMATCH	{ $$ = NV_EVENT_NOMATCH; }
|	NOTIFY	{ $$ = NV_EVENT_NOTIFY; }
;

priority:
	NUMBER
|	%empty	{
		$$ = 0;
		nv_conf_error(conf, place_of(&@$), "the rule's priority number is missing");
	}
;

end:
	';'
|	%empty	{ nv_conf_error(conf, place_of(&@$), "`;` is missing"); }
;

option_list:
	option
|	option_list option
;

option:
	DIRECTORY STRING end	{ nv_conf_directory(conf, $2, place_of(&@2)); free($2); }
|	PID_FILE STRING end	{ nv_conf_pid_file(conf, $2); free($2); }
|	SET ID STRING end	{ nv_conf_set(conf, $2, $3, place_of(&@2)); free($2); free($3); }
|	error
|	error ';'
;

sub_list:
	%empty
|	sub_list sub
;

sub:
	MATCH STRING STRING end	{ nv_conf_match(conf, $2, $3, place_of(&@3)); free($2); free($3); }
|	DEVICE_NAME STRING end	{ nv_conf_match(conf, "device-name", $2, place_of(&@2)); free($2); }
|	CLASS STRING end	{ nv_conf_match(conf, "class", $2, place_of(&@2)); free($2); }
|	SUBDEVICE STRING end	{ nv_conf_match(conf, "subdevice", $2, place_of(&@2)); free($2); }
|	MEDIA_TYPE STRING end	{ nv_conf_media(conf, $2, place_of(&@2)); free($2); }
|	ACTION STRING end	{ nv_conf_action(conf, $2, place_of(&@2)); free($2); }
|	error
|	error ';'
;

%%

/*
 * Of the tokens that are possible here, only the semicolon or the priority, if they are among them.
 */
static int expected_tokens(
	const yypcontext_t *context, yysymbol_kind_t *tokens, int size)
{
	int count = yypcontext_expected_tokens(context, tokens, size);

	for (int i = 0; i < count; i++) {
		if (tokens[i] == YYSYMBOL_NUMBER || nv_streq(yysymbol_name(tokens[i]), "';'")) {
			tokens[0] = tokens[i];
			return 1;
		}
	}
	return count;
}

static int yyreport_syntax_error(
	const yypcontext_t *context, struct nv_conf *conf, void *scanner)
{
	NV_AUTO(nv_str) struct nv_str message = {};
	yysymbol_kind_t tokens[YYNTOKENS];
	int count = expected_tokens(context, tokens, YYNTOKENS);

	(void)scanner;
	if (yypcontext_token(context) == YYSYMBOL_YYEOF)
		nv_str_add(&message, "the file ends too early");
	else
		nv_str_printf(&message, "unexpected `%s`",
			nv_excerpt(conf->token, conf->token_length).text);
	for (int i = 0; i < count; i++)
		nv_str_printf(&message, "%s%s",
			i == 0 ? ", expected " : i + 1 < count ? ", " : " or ",
			yysymbol_name(tokens[i]));
	nv_conf_error(conf, place_of(yypcontext_location(context)), "%s", nv_str_text(&message));
	return 0;
}

/* Bison calls it only if memory is short, which nv_conf_yyparse() returns too. */
static void nv_conf_yyerror(
	NV_CONF_YYLTYPE *at, struct nv_conf *conf, void *scanner, const char *message)
{
	(void)at;
	(void)scanner;
	(void)message;
	conf->error = -ENOMEM;
}

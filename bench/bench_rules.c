/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many events a second find their rule among 200, on one core: with the index and, in the same
 * run, by a walk over all rules with regexec. The rules are of the kinds of a full FreeBSD
 * installation's; the events are of the kinds of a machine's day. Time is the process's CPU time,
 * so that other work on the machine does not count.
 */
#include "devd/rules.h"

#include <getopt.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#define RUNS	 9
#define WANTED	 1000000.0
#define RUN_TIME 0.15 /* seconds, at least, for each run */

static const char *const ALWAYS[] = {
	"options {\n"
	"	set wifi-driver-regex \"(ath|bwi|bwn|ipw|iwi|iwm|iwn|malo|mwl|otus|ral|rsu|rtwn|"
	"rum|run|uath|upgt|ural|urtw|wpi|wtap|zyd)[0-9]+\";\n"
	"	set scsi-controller-regex \"(aac|adv|aha|ahc|ahd|amd|asr|ciss|iir|mfi|mpr|mps|mpt|"
	"nvme|sym|trm)[0-9]+\";\n"
	"};\n",
	"notify 0 { match \"system\" \"IFNET\"; match \"subsystem\" \"!(usbus|wlan)[0-9]+\";"
	" match \"type\" \"ATTACH\"; action \"/etc/pccard_ether $subsystem start\"; };\n",
	"notify 0 { match \"system\" \"IFNET\"; match \"type\" \"LINK_UP\";"
	" media-type \"ethernet\"; action \"service dhclient quietstart $subsystem\"; };\n",
	"notify 0 { match \"system\" \"IFNET\"; match \"type\" \"LINK_UP\";"
	" media-type \"802.11\"; action \"service dhclient quietstart $subsystem\"; };\n",
	"attach 0 { device-name \"$wifi-driver-regex\"; action \"up $device-name\"; };\n",
	"detach 0 { device-name \"$wifi-driver-regex\"; action \"down $device-name\"; };\n",
	"detach 10 { device-name \"$scsi-controller-regex\"; action \"logger $device-name\"; };\n",
	"attach 100 { device-name \"ugen[0-9]+\"; match \"sernum\" \".+\"; action \"u\"; };\n",
	"attach 50 { device-name \"(ums|ukbd)[0-9]+\"; action \"moused $device-name\"; };\n",
	"detach 50 { device-name \"(ums|ukbd)[0-9]+\"; action \"moused $device-name\"; };\n",
	"notify 0 { match \"system\" \"ETHERNET\"; match \"type\" \"IFATTACH\";"
	" action \"/usr/libexec/hyperv/hyperv_vfattach $subsystem 0\"; };\n",
	"notify 10 { match \"system\" \"HYPERV_NIC_VF\"; match \"type\" \"VF_UP\";"
	" action \"/usr/libexec/hyperv/hyperv_vfup $subsystem\"; };\n",
	"notify 10 { match \"system\" \"kernel\"; match \"subsystem\" \"signal\";"
	" match \"type\" \"coredump\"; action \"logger $comm $core\"; };\n",
	"notify 10 { match \"system\" \"RCTL\"; match \"rule\" \"user:[0-9]+:swap:.*/user\";"
	" action \"rctl $rule\"; };\n",
	"notify 0 { match \"system\" \"USB\"; match \"subsystem\" \"INTERFACE\";"
	" match \"mode\" \"host\"; match \"type\" \"ATTACH\"; match \"intclass\" \"0x0e\";"
	" action \"webcamd $cdev\"; };\n",
};

struct family {
	unsigned int count;
	const char *rule; /* with %u for its number, as often as it stands there */
};

/* What comes in rows, up to 200 rules in all. */
static const struct family FAMILIES[] = {
	{70, "nomatch 32 { match \"bus\" \"uhub[0-9]+\"; match \"mode\" \"host\";"
	     " match \"vendor\" \"0x%04x\"; match \"product\" \"(0x1%03x|0x2%03x|0x3%03x)\";"
	     " action \"kldload -n u3g\"; };\n"},
	{30, "nomatch 10 { match \"bus\" \"pci[0-9]+\"; match \"vendor\" \"0x8%03x\";"
	     " match \"device\" \"0x[0-9a-f]{3}%x\"; action \"kldload -n drv%u\"; };\n"},
	{20, "attach 20 { device-name \"drv%u\"; match \"vendor\" \"0x8086\";"
	     " match \"device\" \"0x10%02x\"; action \"up $device-name\"; };\n"},
	{14, "detach 20 { device-name \"drv%u\"; action \"down $device-name\"; };\n"},
	{16, "notify 10 { match \"system\" \"ACPI\"; match \"subsystem\" \"Sub%u\";"
	     " match \"notify\" \"0x0%x\"; action \"/etc/rc.suspend $notify\"; };\n"},
	{16, "notify 10 { match \"system\" \"ZFS\"; match \"type\" \"fs.zfs.kind%u\";"
	     " action \"logger $pool $vdev_guid\"; };\n"},
	{14, "notify 10 { match \"system\" \"DEVFS\"; match \"subsystem\" \"CDEV\";"
	     " match \"type\" \"CREATE\"; match \"cdev\" \"cdev%u[0-9]+\";"
	     " action \"/etc/rc.d/thing quietstart $cdev\"; };\n"},
	{6, "notify 10 { match \"system\" \"DEVFS\"; match \"subsystem\" \"CDEV\";"
	    " match \"type\" \"(CREATE|DESTROY)\"; match \"cdev\" \"name%u_dev\";"
	    " action \"service name%u quietrestart\"; };\n"},
};

static const char *const EVENTS[] = {
	"!system=IFNET subsystem=hn0 type=LINK_UP",
	"!system=IFNET subsystem=hn0 type=LINK_DOWN",
	"!system=IFNET subsystem=mlx5en0 type=ATTACH",
	"!system=IFNET subsystem=wlan0 type=ATTACH",
	"!system=IFNET subsystem=mlx5en0 type=DETACH",
	"!system=IFNET subsystem=hn0 type=ADDR_ADD address=192.0.2.17",
	"!system=IFNET subsystem=hn0 type=ADDR_ADD address=2001:db8::17",
	"!system=ETHERNET subsystem=mlx5en0 type=IFATTACH",
	"!system=HYPERV_NIC_VF subsystem=hn0 type=VF_UP",
	"!system=HYPERV_NIC_VF subsystem=hn0 type=VF_DOWN",
	"!system=DEVFS subsystem=CDEV type=CREATE cdev=hv_kvp_dev",
	"!system=DEVFS subsystem=CDEV type=CREATE cdev=pts/3",
	"!system=DEVFS subsystem=CDEV type=DESTROY cdev=pts/3",
	"!system=DEVFS subsystem=CDEV type=CREATE cdev=cdev77",
	"!system=GEOM subsystem=DEV type=CREATE cdev=da0",
	"!system=ACPI subsystem=Sub4 type=\\_SB_.PCI0 notify=0x04",
	"!system=ZFS subsystem=ZFS type=fs.zfs.kind9 version=0 class=x pool=tank vdev_guid=17",
	"!system=USB subsystem=DEVICE type=ATTACH ugen=ugen0.5 cdev=ugen0.5 vendor=0x0007 "
	"product=0x3007 devclass=0xef devsubclass=0x02 sernum=\"0123 45\" release=0x0102 mode=host "
	"port=4 parent=ugen0.1",
	"!system=USB subsystem=INTERFACE type=ATTACH ugen=ugen0.5 cdev=ugen0.5 vendor=0x0007 "
	"product=0x3007 devclass=0xef sernum=\"0123\" mode=host interface=1 intclass=0x0e "
	"intsubclass=0x02",
	"+drv3 at slot=3 function=0 dbsf=pci0:0:3:0 vendor=0x8086 device=0x1003 subvendor=0x8086 "
	"subdevice=0x0001 class=0x020000 on pci0",
	"+mlx5_core0 at slot=2 function=0 dbsf=pci1:0:2:0 handle=\\_SB_.VPCI vendor=0x15b3 "
	"device=0x1016 subvendor=0x15b3 subdevice=0x0190 class=0x020000 on pci1",
	"-mlx5_core0 at slot=2 function=0 dbsf=pci1:0:2:0 vendor=0x15b3 device=0x1016 "
	"class=0x020000 on pci1",
	"+hn0 at  classid=f8615163-df3e-46c5-913f-f2d2f965ed0e "
	"deviceid=00155d01-0a0b-4c0d-8e0f-00155d010a0b on vmbus0",
	"? at slot=4 function=0 dbsf=pci0:0:4:0 vendor=0x8004 device=0x1af4 subvendor=0x1af4 "
	"subdevice=0x0002 class=0x078000 on pci0",
	"? at bus=1 hubaddr=1 port=2 vendor=0x0009 product=0x2009 devclass=0x00 mode=host on uhub1",
};

static const char *media_of(const char *ifname, void *data)
{
	(void)data;
	return strncmp(ifname, "wlan", 4) == 0 ? "802.11" : "Ethernet";
}

static void write_rules(struct nv_str *text)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(ALWAYS); i++)
		nv_str_add(text, ALWAYS[i]);
	for (size_t i = 0; i < NV_ARRAY_SIZE(FAMILIES); i++)
		for (unsigned int n = 0; n < FAMILIES[i].count; n++)
			nv_str_printf(text, FAMILIES[i].rule, n, n % 16, n, n);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static const struct timespec WHEN = {.tv_sec = 1700000000};

struct bench {
	struct nv_rules *rules;
	struct nv_event *event[NV_ARRAY_SIZE(EVENTS)];
	size_t found; /* keeps the work from being optimised away, and is shown */
};

static void match_all(struct bench *bench)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(EVENTS); i++)
		bench->found +=
			nv_rules_match(bench->rules, bench->event[i], media_of, NULL) != NULL;
}

static void parse_and_match_all(struct bench *bench)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(EVENTS); i++) {
		NV_AUTO(nv_event) struct nv_event *event = NULL;

		if (nv_event_parse(EVENTS[i], strlen(EVENTS[i]), &WHEN, &event) == 0)
			bench->found += nv_rules_match(bench->rules, event, media_of, NULL) != NULL;
	}
}

static void walk_all(struct bench *bench)
{
	for (size_t i = 0; i < NV_ARRAY_SIZE(EVENTS); i++)
		bench->found += nv_rules_match_slowly(
					bench->rules, bench->event[i], media_of, NULL) != NULL;
}

static double rate(struct bench *bench, void (*all)(struct bench *bench))
{
	double start = now();
	double elapsed;
	size_t rounds = 0;

	do {
		all(bench);
		rounds++;
		elapsed = now() - start;
	} while (elapsed < RUN_TIME);
	return (double)(rounds * NV_ARRAY_SIZE(EVENTS)) / elapsed;
}

struct series {
	const char *name;
	const char *unit;
	double value[RUNS];
	double bound; /* 0: none */
};

static int by_value(const void *a, const void *b)
{
	const double *left = a;
	const double *right = b;

	return (*left > *right) - (*left < *right);
}

static json_t *figure(struct series *series)
{
	double median;
	json_t *json;

	qsort(series->value, RUNS, sizeof(series->value[0]), by_value);
	median = series->value[RUNS / 2];
	json = json_pack("{s:s s:f s:s s:f s:f}", "name", series->name, "value", median, "unit",
		series->unit, "min", series->value[0], "max", series->value[RUNS - 1]);
	if (json && series->bound > 0) {
		NV_AUTO(nv_str) struct nv_str bound = {};

		nv_str_printf(&bound, "> %.0f", series->bound);
		json_object_set_new(json, "bound", json_string(nv_str_text(&bound)));
		json_object_set_new(json, "ok", json_boolean(median > series->bound));
	}
	return json;
}

static json_t *measure(struct bench *bench)
{
	struct series indexed = {"match, 200 rules, indexed", "events/s", .bound = WANTED};
	struct series parsed = {"parse and match, 200 rules, indexed", "events/s"};
	struct series walked = {"match, 200 rules, walk with regexec", "events/s"};
	struct series ratio = {"indexed to walk", "times"};

	for (int i = -1; i < RUNS; i++) {
		double index = rate(bench, match_all);
		double parse = rate(bench, parse_and_match_all);
		double walk = rate(bench, walk_all);

		if (i < 0)
			continue; /* warms up */
		indexed.value[i] = index;
		parsed.value[i] = parse;
		walked.value[i] = walk;
		ratio.value[i] = index / walk;
	}
	return json_pack("{s:[o o o o] s:I s:I s:i}", "figures", figure(&indexed), figure(&parsed),
		figure(&walked), figure(&ratio), "rules", (json_int_t)nv_rules_count(bench->rules),
		"events", (json_int_t)NV_ARRAY_SIZE(EVENTS), "runs", RUNS);
}

static void print_plain(const json_t *report)
{
	const json_t *figure;
	size_t i;

	json_array_foreach (json_object_get(report, "figures"), i, figure)
		printf("%-38s %12.0f %-9s (%.0f to %.0f)\n",
			json_string_value(json_object_get(figure, "name")),
			json_real_value(json_object_get(figure, "value")),
			json_string_value(json_object_get(figure, "unit")),
			json_real_value(json_object_get(figure, "min")),
			json_real_value(json_object_get(figure, "max")));
}

/* Parses the events, and asserts that both ways find the same. */
static bool prepare(struct bench *bench)
{
	NV_AUTO(nv_str) struct nv_str text = {};
	struct nv_faults faults = {};

	write_rules(&text);
	nv_rules_parse(
		"bench", nv_str_text(&text), text.length, NULL, NULL, &faults, &bench->rules);
	nv_faults_print(&faults, stderr);
	nv_faults_auto(&faults);
	if (!bench->rules)
		return false;
	for (size_t i = 0; i < NV_ARRAY_SIZE(EVENTS); i++) {
		if (nv_event_parse(EVENTS[i], strlen(EVENTS[i]), &WHEN, &bench->event[i]))
			return false;
		if (nv_rules_match(bench->rules, bench->event[i], media_of, NULL) !=
			nv_rules_match_slowly(bench->rules, bench->event[i], media_of, NULL)) {
			fprintf(stderr, "bench-rules: the two ways differ for %s\n", EVENTS[i]);
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {}};
	bool json = !isatty(STDOUT_FILENO);
	struct bench bench = {};
	json_t *report;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j') {
			fprintf(stderr, "usage: bench-rules [--json]\n");
			return 2;
		}
		json = true;
	}
	if (!prepare(&bench))
		return 1;
	report = measure(&bench);
	if (!report)
		return 1;
	if (json)
		json_dumpf(report, stdout, JSON_INDENT(2));
	else
		print_plain(report);
	json_decref(report);
	for (size_t i = 0; i < NV_ARRAY_SIZE(EVENTS); i++)
		nv_event_free(bench.event[i]);
	nv_rules_free(bench.rules);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * firmware-report: what this machine's firmware really does.
 *
 *	firmware-report [OPTION]...	KTAP on standard output; on standard error the report's JSON, framed
 *	firmware-report --stick		KTAP, then the table, page by page; the JSON, framed, on the first serial port
 *
 * Three sources: what the loader collected before the firmware's boot services ended (/sys/firmware/baton/evidence, there
 * when the kernel's command line says firmware=report), the calls of the runtime services behind bars (/dev/efi_test), and
 * the CPU. They become one file of evidence; the rules (report/) judge it here, and anywhere else again. What has no
 * evidence is SKIP.
 *
 * Each call is announced before it is made, and each check before its result: what hangs is the last that was named.
 * --thorough looks at all of the memory watched after each call, rather than at one page in 64 and those next to runtime memory.
 * --dangerous also fills the variable store, which has bricked boards. Status: 0 nothing failed, 1 something did, 2 trouble.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lab.h"
#include "report.h"

#define SERIAL        "/dev/ttyS0"
#define QUIET         "1" /* of the kernel's log on the consoles: its panics alone */
#define CONSOLE_LEVEL "/proc/sys/kernel/printk"
#define EXIT_TROUBLE  2

static struct lab lab = {.services = -1};
static struct report report;

static void put_ktap(FILE *out)
{
	for (unsigned i = 0; i < report.count; i++) {
		ktap_announce(out, i + 1, report.results[i].check);
		ktap_result(out, i + 1, &report.results[i]);
	}
	fflush(out);
}

/* ---- On a stick ---- */

/* The kernel's lines would stand in the midst of the document. */
static void set_log_level(const char *level)
{
	FILE *file = fopen(CONSOLE_LEVEL, "we");

	if (!file)
		return;
	fputs(level, file);
	fclose(file);
}

/* How loud the log was; "" where that is not known. */
static void log_level(char level[16])
{
	FILE *file = fopen(CONSOLE_LEVEL, "re");

	level[0] = 0;
	if (!file)
		return;
	if (fscanf(file, "%15s", level) != 1)
		level[0] = 0;
	fclose(file);
}

static const char *put_on_serial(void)
{
	int fd = open(SERIAL, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	char level[16];
	int done;

	if (!out)
		return "there is no serial port: the report is on the screen alone";
	log_level(level);
	set_log_level(QUIET);
	done = report_json_framed(&report, out);
	if (fflush(out) || done < 0)
		done = -1;
	tcdrain(fd);
	fclose(out);
	if (*level)
		set_log_level(level);
	return done < 0 ? "the report could not be written to the first serial port"
			: "the report is on the first serial port, between BATON-REPORT-BEGIN and "
			  "BATON-REPORT-END";
}

static void show_table(const char *where)
{
	unsigned long long age = lab_age(&lab);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	report_table(&report, out, TABLE_COLOURS | TABLE_ALL);
	fprintf(out, "\n%s;\nit was complete %llu ms after the loader's entry\n", where, age);
	if (fclose(out) == 0)
		show_pages(text);
	free(text);
}

/* ---- All of it ---- */

static int usage(void)
{
	fputs("usage: firmware-report [--stick] [--thorough] [--dangerous]\n", stderr);
	return EXIT_TROUBLE;
}

int main(int count, char **arguments)
{
	struct evidence evidence;
	const char *error;
	bool stick = false;

	for (int i = 1; i < count; i++) {
		if (strcmp(arguments[i], "--stick") == 0)
			stick = true;
		else if (strcmp(arguments[i], "--dangerous") == 0)
			lab.dangerous = true;
		else if (strcmp(arguments[i], "--thorough") == 0)
			lab.thorough = true;
		else
			return usage();
	}
	lab.announce = stdout;
	ktap_plan(stdout, report_check_count());
	if (!lab_begin(&lab))
		return EXIT_TROUBLE;
	lab.services = open("/dev/efi_test", O_RDWR | O_CLOEXEC);
	if (lab.services < 0)
		printf("# /dev/efi_test: %s\n", strerror(errno));
	call_services(&lab);
	error = lab_end(&lab, &evidence);
	if (error) {
		fprintf(stderr, "firmware-report: the evidence: %s\n", error);
		return EXIT_TROUBLE;
	}
	if (lab.left_out)
		printf("# %u pieces of evidence had no room\n", lab.left_out);
	report_judge(&report, &evidence);
	put_ktap(stdout);
	if (stick)
		show_table(put_on_serial());
	else if (report_json_framed(&report, stderr) < 0)
		return EXIT_TROUBLE;
	else
		printf("# the report is complete: %llu ms after the loader's entry\n",
			(unsigned long long)lab_age(&lab));
	return report_exit_code(&report);
}

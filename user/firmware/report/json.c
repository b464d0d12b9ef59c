/* SPDX-License-Identifier: MIT */
/*
 * The report as one JSON document:
 *
 *	{"schema": 1, "checks": [{"id", "number", "family", "rule", "spec", "severity", "verdict", "waived", "stable",
 *		"expected", "observed"}, ...], "totals": {"PASS": N, ..., "waived": N}, "evidence": ["BASE64", ...]}
 *
 * The evidence's lines joined are the base64 of the whole file. On a serial line the document stands between
 * "BATON-REPORT-BEGIN LENGTH CRC32" (decimal, eight hexadecimal digits, of the document with bare line feeds) and
 * "BATON-REPORT-END".
 */
#include "report.h"

#include <stdlib.h>

#define LINE_BYTES 57 /* of evidence in one line of base64: 76 characters */

static void put_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void put_field(FILE *out, const char *name, const char *text)
{
	fprintf(out, ", \"%s\": ", name);
	put_string(out, text);
}

static void put_check(const struct judgement *result, const char *family, FILE *out)
{
	const struct check *check = result->check;

	fputs("{\"id\": ", out);
	put_string(out, check->id);
	fprintf(out, ", \"number\": %u", check->number);
	put_field(out, "family", family);
	put_field(out, "rule", check->rule);
	put_field(out, "spec", check->section);
	fprintf(out, ", \"severity\": \"%c\", \"verdict\": \"%s\", \"waived\": %s, \"stable\": %s",
		check->severity, verdict_name(result->verdict), result->waived ? "true" : "false",
		check->varies ? "false" : "true");
	put_field(out, "expected", check->expected);
	put_field(out, "observed", result->found);
	fputc('}', out);
}

static void put_base64_line(FILE *out, const uint8_t *data, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t three = (uint32_t)data[i] << 16 |
				 (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
				 (left > 2 ? data[i + 2] : 0u);

		fputc(digits[three >> 18], out);
		fputc(digits[three >> 12 & 63], out);
		fputc(left > 1 ? digits[three >> 6 & 63] : '=', out);
		fputc(left > 2 ? digits[three & 63] : '=', out);
	}
}

void report_json(const struct report *report, FILE *out)
{
	const struct evidence *e = &report->evidence;
	unsigned at = 0;

	fputs("{\"schema\": 1,\n\"checks\": [\n", out);
	for (unsigned f = 0; f < report_family_count; f++)
		for (unsigned i = 0; i < report_families[f]->count; i++, at++) {
			fputs(at ? ",\n" : "", out);
			put_check(&report->results[at], report_families[f]->name, out);
		}
	fputs("],\n\"totals\": {", out);
	for (unsigned i = 0; i < VERDICTS; i++)
		fprintf(out, "\"%s\": %u, ", verdict_name(i), report->totals[i]);
	fprintf(out, "\"waived\": %u},\n\"evidence\": [\n", report->waived);
	for (size_t i = 0; i < e->size; i += LINE_BYTES) {
		fputs(i ? ",\n\"" : "\"", out);
		put_base64_line(
			out, e->data + i, e->size - i < LINE_BYTES ? e->size - i : LINE_BYTES);
		fputc('"', out);
	}
	fputs("]}\n", out);
}

int report_json_framed(const struct report *report, FILE *out)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	bool bad;

	if (!memory)
		return -1;
	report_json(report, memory);
	bad = ferror(memory);
	if (fclose(memory) || bad) {
		free(text);
		return -1;
	}
	fprintf(out, "BATON-REPORT-BEGIN %zu %08x\n", size, baton_crc32(0, text, size));
	fwrite(text, 1, size, out);
	fputs("BATON-REPORT-END\n", out);
	free(text);
	return 0;
}

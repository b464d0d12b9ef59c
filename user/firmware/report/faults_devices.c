/* SPDX-License-Identifier: MIT */
#include "sample.h"

static void anchor_sum(struct sample *s)
{
	s->anchor.data[5]++;
}

static void no_processor(struct sample *s)
{
	s->smbios.data[3 * 17] = 126;
}

static void handle_twice(struct sample *s)
{
	s->smbios.data[17 + 2] = s->smbios.data[2];
}

static void smbios_cut(struct sample *s)
{
	s->smbios.size -= 1;
}

static void no_end(struct sample *s)
{
	s->smbios.data[8 * 17] = 126;
}

static void no_structures(struct sample *s)
{
	s->smbios.size = 0;
}

static void esrt_version(struct sample *s)
{
	put(&s->esrt, 8, 8, 2);
}

static void esrt_many(struct sample *s)
{
	put(&s->esrt, 0, 4, 4);
}

static void esrt_twice(struct sample *s)
{
	put(&s->esrt, 56, 8, 1111);
}

static void log_truncated(struct sample *s)
{
	s->log_head.truncated = 1;
}

static void log_cut(struct sample *s)
{
	s->log.size--;
}

static void other_pcr(struct sample *s)
{
	s->pcrs[2].digest[7] ^= 1;
}

static void event_lost(struct sample *s)
{
	s->final.data[16 + 36] ^= 1; /* its SHA-256 digest */
}

static void no_exit_event(struct sample *s)
{
	s->final.data[16 + 72] = 'e';
}

static void too_few_final(struct sample *s)
{
	s->final.data[8] = 2;
}

static void other_locality(struct sample *s)
{
	s->log.data[69 + 72 + 16] = 0;
}

static void only_sha384(struct sample *s)
{
	for (unsigned i = 0; i < 8; i++)
		s->pcrs[i].algorithm = 0xc;
}

static void narrow_pitch(struct sample *s)
{
	s->modes[0].pitch = 799;
}

static void small_framebuffer(struct sample *s)
{
	s->graphics.size -= 4096;
}

static void outside_bar(struct sample *s)
{
	s->pci[2].bars[0].base += 4096;
}

static void no_such_mode(struct sample *s)
{
	s->graphics.mode = 2;
}

static void esrt_above_most(struct sample *s)
{
	put(&s->esrt, 4, 4, 1);
}

#define ONE(check, verdict)            \
	{                              \
		{                      \
			check, verdict \
		}                      \
	}

static const struct fault faults[] = {
	{"the entry point's checksum", anchor_sum, ONE("smbios.structures", VERDICT_FAIL)},
	{"no structure of a processor", no_processor, ONE("smbios.structures", VERDICT_FAIL)},
	{"a handle twice", handle_twice, ONE("smbios.structures", VERDICT_FAIL)},
	{"SMBIOS cut off", smbios_cut, ONE("smbios.structures", VERDICT_FAIL)},
	{"SMBIOS without end", no_end, ONE("smbios.structures", VERDICT_FAIL)},
	{"SMBIOS not there", no_structures, ONE("smbios.structures", VERDICT_FAIL)},
	{"ESRT version 2", esrt_version, ONE("esrt.entries", VERDICT_FAIL)},
	{"ESRT with more than there is", esrt_many, ONE("esrt.entries", VERDICT_FAIL)},
	{"a resource twice", esrt_twice, ONE("esrt.entries", VERDICT_FAIL)},
	{"the log truncated", log_truncated, ONE("tcg.event-log", VERDICT_FAIL)},
	{"the log cut off", log_cut, ONE("tcg.event-log", VERDICT_FAIL)},
	{"a PCR is another", other_pcr, ONE("tcg.event-log", VERDICT_FAIL)},
	{"an event's digest changed", event_lost, ONE("tcg.event-log", VERDICT_FAIL)},
	{"no event of success", no_exit_event, ONE("tcg.event-log", VERDICT_FAIL)},
	{"fewer final events", too_few_final, ONE("tcg.event-log", VERDICT_FAIL)},
	{"another startup locality", other_locality, ONE("tcg.event-log", VERDICT_FAIL)},
	{"only a bank that cannot be replayed", only_sha384, ONE("tcg.event-log", VERDICT_SKIP)},
	{"a pitch below the width", narrow_pitch, ONE("graphics.gop", VERDICT_FAIL)},
	{"a framebuffer too small", small_framebuffer, ONE("graphics.gop", VERDICT_FAIL)},
	{"a framebuffer outside its BAR", outside_bar, ONE("graphics.gop", VERDICT_FAIL)},
	{"a mode that is none", no_such_mode, ONE("graphics.gop", VERDICT_FAIL)},
	{"ESRT with more than its maximum", esrt_above_most, ONE("esrt.entries", VERDICT_FAIL)},
};

const struct fault_list faults_devices = {faults, sizeof faults / sizeof *faults};

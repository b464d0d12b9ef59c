/* SPDX-License-Identifier: MIT */
/* Console, screen, random numbers and TPM as the loader sees them. */
#include "inject.h"

#define SCREENS     8u
#define DOWN        0x02
#define UP          0x01
#define WORD_ERROR  L"error: "
#define TPM_ANSWER  10u
#define TPM_FAILURE 0x101u

/* ---- The console ---- */

static SIMPLE_TEXT_OUTPUT_INTERFACE output;
static SIMPLE_INPUT_INTERFACE input;
static EFI_EVENT key_event;
/* What a person types: to another entry and back, its options opened, a letter, taken back, and booted. */
static const EFI_INPUT_KEY keys[] = {{DOWN, 0}, {UP, 0}, {0, 'e'}, {0, 'x'}, {0, '\b'}, {0, '\r'}};
static size_t keys_typed;
static bool pause; /* between two keys */

static bool begins(const CHAR16 *text, const CHAR16 *word)
{
	while (*word && *text == *word) {
		text++;
		word++;
	}
	return !*word;
}

static EFI_STATUS EFIAPI output_string(SIMPLE_TEXT_OUTPUT_INTERFACE *this, CHAR16 *text)
{
	trial.told |= begins(text, WORD_ERROR);
	if (strikes(SERVICE_OutputString))
		return struck_status(SERVICE_OutputString);
	return EFI_SUCCESS; /* a screen takes its time for each line */
}

static EFI_STATUS EFIAPI clear_screen(SIMPLE_TEXT_OUTPUT_INTERFACE *this)
{
	if (strikes(SERVICE_ClearScreen))
		return struck_status(SERVICE_ClearScreen);
	return EFI_SUCCESS;
}

static bool key_waits(void)
{
	return trial.keys && keys_typed < sizeof(keys) / sizeof(keys[0]);
}

static void EFIAPI tell_key(EFI_EVENT event, void *context)
{
	if (key_waits())
		real.SignalEvent(event);
}

static EFI_STATUS EFIAPI read_key(SIMPLE_INPUT_INTERFACE *this, EFI_INPUT_KEY *key)
{
	if (strikes(SERVICE_ReadKeyStroke))
		return struck_status(SERVICE_ReadKeyStroke);
	pause = !pause;
	if (!key_waits() || pause)
		return EFI_NOT_READY;
	*key = keys[keys_typed++];
	return EFI_SUCCESS;
}

void console_show(void)
{
	keys_typed = 0;
	pause = false;
	if (!key_event)
		real.CreateEvent(EVT_NOTIFY_WAIT, TPL_NOTIFY, tell_key, NULL, &key_event);
	output = (SIMPLE_TEXT_OUTPUT_INTERFACE){
		.OutputString = output_string, .ClearScreen = clear_screen};
	input = (SIMPLE_INPUT_INTERFACE){.ReadKeyStroke = read_key, .WaitForKey = key_event};
	shown.ConOut = trial.no_output ? NULL : &output;
	shown.ConIn = trial.no_input ? NULL : &input;
}

/* ---- The screen ---- */

static struct screen {
	EFI_GRAPHICS_OUTPUT_PROTOCOL shown, *real;
	EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode;
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION info;
} screens[SCREENS];

static EFI_STATUS EFIAPI query_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *this, UINT32 mode, UINTN *size,
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **info)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *of = ((struct screen *)this)->real;
	EFI_STATUS status;

	if (strikes(SERVICE_QueryMode))
		return struck_status(SERVICE_QueryMode);
	status = of->QueryMode(of, mode, size, info);
	if (!EFI_ERROR(status))
		hold(POOL, (uint64_t)*info, *size);
	return status;
}

static EFI_STATUS EFIAPI set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *this, UINT32 mode)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *of = ((struct screen *)this)->real;

	if (strikes(SERVICE_SetMode))
		return struck_status(SERVICE_SetMode);
	return of->SetMode(of, mode);
}

static void show_screen(struct screen *s, EFI_GRAPHICS_OUTPUT_PROTOCOL *gop)
{
	*s = (struct screen){.real = gop,
		.shown = {.QueryMode = query_mode, .SetMode = set_mode, .Mode = gop->Mode}};
	if (!trial.blt_only)
		return;
	s->mode = *gop->Mode;
	s->info = *gop->Mode->Info;
	s->info.PixelFormat = PixelBltOnly;
	s->mode.Info = &s->info;
	s->mode.FrameBufferBase = 0;
	s->mode.FrameBufferSize = 0;
	s->shown.Mode = &s->mode;
}

void *screen_proxy(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop)
{
	struct screen *s = screens;

	if (trial.no_screen)
		return NULL;
	if (trial.last)
		return gop;
	while (s < screens + SCREENS - 1 && s->real && s->real != gop)
		s++;
	show_screen(s, gop);
	return &s->shown;
}

/* ---- Random numbers ---- */

static EFI_RNG_PROTOCOL *real_random, random;

static EFI_STATUS EFIAPI get_random(
	EFI_RNG_PROTOCOL *this, EFI_RNG_ALGORITHM *algorithm, UINTN size, UINT8 *out)
{
	if (strikes(SERVICE_GetRNG))
		return struck_status(SERVICE_GetRNG);
	return real_random->GetRNG(real_random, algorithm, size, out);
}

void *random_proxy(EFI_RNG_PROTOCOL *of)
{
	real_random = of;
	random = (EFI_RNG_PROTOCOL){.GetInfo = of->GetInfo, .GetRNG = get_random};
	return &random;
}

/* ---- A TPM that forgets what it is told ---- */

static EFI_STATUS EFIAPI tpm_capability(
	struct tcg2_protocol *this, struct tcg2_capability *capability)
{
	if (strikes(SERVICE_TpmCapability))
		return struck_status(SERVICE_TpmCapability);
	*capability = (struct tcg2_capability){
		.size = 36, .tpm_present = 1, .hash_algorithms = 2, .event_logs = 2};
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI tpm_log(struct tcg2_protocol *this, uint32_t format,
	EFI_PHYSICAL_ADDRESS *log, EFI_PHYSICAL_ADDRESS *last, BOOLEAN *truncated)
{
	if (strikes(SERVICE_TpmLog))
		return struck_status(SERVICE_TpmLog);
	*log = *last = 0;
	*truncated = FALSE;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI tpm_extend(struct tcg2_protocol *this, uint64_t flags,
	EFI_PHYSICAL_ADDRESS data, uint64_t size, void *event)
{
	return strikes(SERVICE_TpmExtend) ? struck_status(SERVICE_TpmExtend) : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI tpm_command(
	struct tcg2_protocol *this, uint32_t in_size, const void *in, uint32_t out_size, void *out)
{
	static const uint8_t failure[TPM_ANSWER] = {
		0x80, 0x01, 0, 0, 0, TPM_ANSWER, 0, 0, TPM_FAILURE >> 8, TPM_FAILURE & 0xff};

	if (strikes(SERVICE_TpmCommand) || out_size < sizeof(failure))
		return struck_status(SERVICE_TpmCommand);
	__builtin_memcpy(out, failure, sizeof(failure));
	return EFI_SUCCESS;
}

void *tpm_proxy(void)
{
	static struct tcg2_protocol tpm = {.get_capability = tpm_capability,
		.get_event_log = tpm_log,
		.hash_log_extend_event = tpm_extend,
		.submit_command = tpm_command};

	return &tpm;
}

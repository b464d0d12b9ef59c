/* SPDX-License-Identifier: MIT */
/*
 * The menu: plain text on the firmware's console, one entry a line. Arrows choose, Enter boots, `e`
 * edits the options of the chosen entry; any key stops the countdown. A keyboard that breaks sets it
 * going again: nobody could end it.
 */
#include "console.h"
#include "loader.h"

#define SECOND UINT64_C(10000000) /* in 100 ns */
#define ENTER  '\r'
#define ESCAPE 0x17 /* scan code */
#define UP     0x01
#define DOWN   0x02

struct menu {
	struct loader *l;
	const struct menu_item *items;
	size_t count, chosen;
	uint32_t timeout; /* seconds */
	uint32_t seconds; /* left; 0: the countdown was stopped */
	EFI_EVENT timer;
	const char *note; /* below the entries, until the next key */
};

static SIMPLE_TEXT_OUTPUT_INTERFACE *out(const struct menu *m)
{
	return m->l->system->ConOut;
}

static void write_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void write_line(const char *format, ...)
{
	char text[2 * CONFIG_NAME_MAX + 80];
	va_list arguments;

	va_start(arguments, format);
	text_format_v(text, sizeof(text), format, arguments);
	va_end(arguments);
	console_write(text);
}

static void draw(const struct menu *m)
{
	out(m)->ClearScreen(out(m));
	write_line("\n  Baton\n\n");
	for (size_t i = 0; i < m->count; i++)
		write_line("  %c %s\n", i == m->chosen ? '>' : ' ', m->items[i].title);
	write_line("\n  Up, Down: choose   Enter: boot   e: edit the options\n");
	if (m->note)
		write_line("  %s\n", m->note);
	if (m->seconds)
		write_line("  Boots in %u s\n", m->seconds);
}

enum input { INPUT_KEY, INPUT_SECOND, INPUT_BROKEN };

/* The next key; or a second has passed without one; or with a keyboard that cannot be read. */
static enum input next_key(struct menu *m, EFI_INPUT_KEY *key)
{
	SIMPLE_INPUT_INTERFACE *in = m->l->system->ConIn;
	EFI_EVENT events[2] = {in->WaitForKey, m->timer};
	UINTN which;

	for (;;) {
		EFI_STATUS status = in->ReadKeyStroke(in, key);

		if (status == EFI_SUCCESS)
			return INPUT_KEY;
		if (status != EFI_NOT_READY) {
			m->l->boot->WaitForEvent(1, &m->timer, &which);
			return INPUT_BROKEN;
		}
		if (m->l->boot->WaitForEvent(m->seconds ? 2 : 1, events, &which) || which == 1)
			return INPUT_SECOND;
	}
}

static void edit_char(struct command_line *line, char c)
{
	if (c == '\b') {
		if (line->length)
			line->text[--line->length] = '\0';
	} else if (c >= ' ' && c <= '~' && line->length + 1 < COMMAND_LINE_MAX) {
		line->text[line->length++] = c;
		line->text[line->length] = '\0';
	}
}

/* True: boot with `line`. */
static bool edit(struct menu *m, struct command_line *line)
{
	EFI_INPUT_KEY key;

	write_line("\n  Enter: boot   Escape: back\n");
	console_write("  options ");
	console_write(line->text);
	for (;;) {
		char echo[4] = {0};

		switch (next_key(m, &key)) {
		case INPUT_SECOND:
			continue;
		case INPUT_BROKEN:
			return false;
		case INPUT_KEY:
			break;
		}
		if (key.ScanCode == ESCAPE)
			return false;
		if (key.UnicodeChar == ENTER)
			return true;
		if (key.UnicodeChar == 0 || key.UnicodeChar > '~')
			continue;
		if (key.UnicodeChar == '\b' && !line->length)
			continue;
		edit_char(line, (char)key.UnicodeChar);
		text_copy(echo, sizeof(echo), key.UnicodeChar == '\b' ? "\b \b" : "");
		if (key.UnicodeChar != '\b')
			echo[0] = (char)key.UnicodeChar;
		console_write(echo);
	}
}

/* Handles one key; true: the choice is made. */
static bool take_key(struct menu *m, const EFI_INPUT_KEY *key, menu_options_of *options_of,
	struct command_line *line, bool *edited)
{
	m->note = NULL;
	if (key->UnicodeChar == ENTER)
		return true;
	if (key->ScanCode == UP)
		m->chosen = (m->chosen + m->count - 1) % m->count;
	else if (key->ScanCode == DOWN)
		m->chosen = (m->chosen + 1) % m->count;
	else if (key->UnicodeChar == 'e' || key->UnicodeChar == 'E') {
		if (EFI_ERROR(options_of(m->l, &m->items[m->chosen], line))) {
			m->note = "This entry cannot be read.";
			return false;
		}
		*edited = edit(m, line);
		return *edited;
	}
	return false;
}

static void run(
	struct menu *m, menu_options_of *options_of, struct command_line *line, bool *edited)
{
	EFI_INPUT_KEY key;

	for (;;) {
		draw(m);
		switch (next_key(m, &key)) {
		case INPUT_KEY:
			m->seconds = 0;
			if (take_key(m, &key, options_of, line, edited))
				return;
			break;
		case INPUT_BROKEN:
			m->seconds = m->seconds ? m->seconds : m->timeout;
			/* fallthrough */
		case INPUT_SECOND:
			if (m->seconds && --m->seconds == 0)
				return;
		}
	}
}

EFI_STATUS menu_run(struct loader *l, const struct menu_item *items, size_t count, uint32_t timeout,
	menu_options_of *options_of, size_t *chosen, struct command_line *line, bool *edited)
{
	struct menu m = {.l = l,
		.items = items,
		.count = count,
		.chosen = *chosen,
		.timeout = timeout,
		.seconds = timeout};
	EFI_STATUS status;

	*edited = false;
	if (!l->system->ConIn || !l->system->ConOut)
		return EFI_SUCCESS;
	status = l->boot->CreateEvent(EVT_TIMER, TPL_CALLBACK, NULL, NULL, &m.timer);
	if (EFI_ERROR(status))
		return fail(status, "the menu's timer cannot be made");
	status = l->boot->SetTimer(m.timer, TimerPeriodic, SECOND);
	if (!EFI_ERROR(status)) {
		l->boot->SetWatchdogTimer(0, 0x10000, 0, NULL);
		run(&m, options_of, line, edited);
		out(&m)->ClearScreen(out(&m));
		*chosen = m.chosen;
	}
	l->boot->CloseEvent(m.timer);
	return EFI_ERROR(status) ? fail(status, "the menu's timer cannot be set") : EFI_SUCCESS;
}

/* SPDX-License-Identifier: MIT */
/*
 * What to boot: load options, then loader.conf, then one entry. With `timeout 0` and a default that
 * is a plain name, two files are opened and no folder is read. Without any configuration the kernel
 * and the initrd have default names.
 *
 * An entry's name is that of its file without the counter (counting.h). One that has no tries left is
 * the last in the list, and is booted only when it is asked for, or when there is no other.
 */
#include "console.h"
#include "counting.h"
#include "files.h"
#include "loader.h"
#include "measure.h"
#include "trust.h"

#include "../pure/counter.h"

#define LOADER_CONF    "\\loader\\loader.conf"
#define DEFAULT_KERNEL "\\baton\\kernel.elf"
#define DEFAULT_INITRD "\\baton\\initrd.cpio"
#define ENTRIES_MAX    16u

static char text[CONFIG_FILE_MAX];
static size_t text_size; /* bytes of the file that was read last */
static struct menu_item items[ENTRIES_MAX];

static bool started_from_shell(struct loader *l)
{
	static EFI_GUID guid = SHELL_PARAMETERS_GUID;
	void *parameters;

	return l->boot->HandleProtocol(l->image, &guid, &parameters) == EFI_SUCCESS;
}

/* Options that are no text are some other program's data: told, and left. Ones that are text and
 * wrong are refused. */
static EFI_STATUS read_load_options(
	struct loader *l, struct command_line *line, struct loader_options *options)
{
	struct complaint why;
	enum verdict verdict;

	*line = (struct command_line){0};
	*options = (struct loader_options){0};
	if (!l->loaded_image->LoadOptions || !l->loaded_image->LoadOptionsSize)
		return EFI_SUCCESS;
	verdict = load_options_text(l->loaded_image->LoadOptions, l->loaded_image->LoadOptionsSize,
		started_from_shell(l), line, &why);
	if (verdict) {
		warn("%s: ignored", why.text);
		*line = (struct command_line){0};
		return EFI_SUCCESS;
	}
	verdict = command_line_read(line, options, &why);
	if (verdict)
		return fail_verdict(verdict, "load options", &why);
	return line->length ? trust_bytes(l, "load options", line->text, line->length)
			    : EFI_SUCCESS;
}

static EFI_STATUS read_loader_conf(
	struct loader *l, const struct loader_options *options, struct loader_config *config)
{
	const char *path = options->config[0] ? options->config : LOADER_CONF;
	struct complaint why;
	enum verdict verdict;
	EFI_STATUS status;

	*config = (struct loader_config){0};
	status = file_read_text(l, path, text, sizeof(text), &text_size);
	if (status == EFI_NOT_FOUND)
		return options->config[0] ? fail(status, "%s: no such file", path) : EFI_SUCCESS;
	if (!EFI_ERROR(status))
		status = trust_file(l, path, text, text_size);
	if (EFI_ERROR(status))
		return status;
	verdict = config_read_loader(text, text_size, config, &why);
	return verdict ? fail_verdict(verdict, path, &why) : EFI_SUCCESS;
}

/* The folder `entries` beside loader.conf, with a backslash at its end. */
static void entries_folder(const struct loader_options *options, char *out, size_t size)
{
	const char *conf = options->config[0] ? options->config : LOADER_CONF;
	size_t length = text_length(conf);

	text_copy(out, size, conf);
	while (length && out[length - 1] != '\\')
		length--;
	text_format(out + length, size - length, "entries\\");
}

/* EFI_NOT_FOUND is not told; what cannot be read as an entry is. */
static EFI_STATUS read_entry(struct loader *l, const char *path, struct boot_entry *entry)
{
	struct complaint why;
	enum verdict verdict;
	EFI_STATUS status;

	status = file_read_text(l, path, text, sizeof(text), &text_size);
	if (!EFI_ERROR(status))
		status = trust_bytes(l, path, text, text_size);
	if (EFI_ERROR(status))
		return status;
	verdict = config_read_entry(text, text_size, entry, &why);
	return verdict ? fail_verdict(verdict, path, &why) : EFI_SUCCESS;
}

/* EFI_NOT_FOUND is not told. */
static EFI_STATUS take_entry(struct loader *l, const char *folder, const char *name)
{
	char path[2 * LOADER_PATH_MAX];
	EFI_STATUS status;

	counter_strip(name, l->entry_name, sizeof(l->entry_name));
	text_format(path, sizeof(path), "%s%s", folder, name);
	status = read_entry(l, path, &l->entry);
	if (status == EFI_NOT_FOUND) {
		text_format(path, sizeof(path), "%s%s.conf", folder, name);
		status = read_entry(l, path, &l->entry);
	}
	if (!EFI_ERROR(status) && !l->entry.kernel[0])
		return fail(EFI_LOAD_ERROR, "%s: no line `kernel`", path);
	if (!EFI_ERROR(status)) {
		measure(l, PCR_FILES, path, text, text_size);
		counting_try(l, folder, name);
	}
	return status;
}

static EFI_STATUS take_listed(struct loader *l, const char *folder, const char *name)
{
	EFI_STATUS status = take_entry(l, folder, name);

	return status == EFI_NOT_FOUND ? fail(status, "%s%s: no such boot entry", folder, name)
				       : status;
}

static bool is_entry_name(const char *name)
{
	return config_name_matches("*.conf", name);
}

static bool comes_after(const char *a, const char *b)
{
	if (counter_is_bad(a) != counter_is_bad(b))
		return counter_is_bad(a);
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a > *b;
}

/* Keeps the list sorted, by name, with those without tries at its end; beyond ENTRIES_MAX the last
 * ones fall off. */
static void insert_item(size_t *count, const char *name)
{
	size_t at = *count;

	while (at > 0 && comes_after(items[at - 1].name, name))
		at--;
	if (at == ENTRIES_MAX)
		return;
	if (*count < ENTRIES_MAX)
		++*count;
	for (size_t i = *count - 1; i > at; i--)
		items[i] = items[i - 1];
	text_copy(items[at].name, sizeof(items[at].name), name);
}

static EFI_STATUS read_folder(struct loader *l, const char *folder, size_t *count)
{
	CHAR16 name16[LOADER_PATH_MAX];
	char name[CONFIG_NAME_MAX];
	EFI_FILE *handle;
	EFI_STATUS status;

	*count = 0;
	path_to_ucs2(folder, name16, LOADER_PATH_MAX);
	if (name16[0])
		name16[text_length(folder) - 1] = 0;
	status = l->volume->Open(l->volume, &handle, name16, EFI_FILE_MODE_READ, 0);
	if (status == EFI_NOT_FOUND)
		return EFI_SUCCESS;
	if (EFI_ERROR(status))
		return fail(status, "%s: cannot be opened", folder);
	do {
		status = folder_next(handle, name, sizeof(name));
		if (!EFI_ERROR(status) && is_entry_name(name))
			insert_item(count, name);
	} while (!EFI_ERROR(status) && name[0]);
	handle->Close(handle);
	return status;
}

static bool has_counted(size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (counter_read(items[i].name).counted)
			return true;
	return false;
}

static EFI_STATUS list_names(struct loader *l, const char *folder, size_t *count)
{
	EFI_STATUS status = read_folder(l, folder, count);

	if (!EFI_ERROR(status) && has_counted(*count) && counting_bless(l, folder))
		status = read_folder(l, folder, count);
	return status;
}

static void set_title(struct menu_item *item, const char *title)
{
	struct boot_counter counter = counter_read(item->name);

	if (counter.counted)
		text_format(item->title, sizeof(item->title), "%s (tries left: %u)", title,
			counter.left);
	else
		text_copy(item->title, sizeof(item->title), title);
}

/* Gives each entry its title, and drops those of other loaders. One that is broken stays, so that
 * choosing it tells what is wrong with it. */
static void read_titles(struct loader *l, const char *folder, size_t *count)
{
	static struct boot_entry entry;
	char path[2 * LOADER_PATH_MAX];
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		EFI_STATUS status;

		text_format(path, sizeof(path), "%s%s", folder, items[i].name);
		status = read_entry(l, path, &entry);
		if (!EFI_ERROR(status) && !entry.kernel[0])
			continue;
		items[kept] = items[i];
		set_title(&items[kept],
			!EFI_ERROR(status) && entry.title[0] ? entry.title : items[i].name);
		kept++;
	}
	*count = kept;
}

/* The first entry that is meant, with its counter in the pattern or without; `count`: there is none. */
static size_t find_entry(const char *pattern, size_t count)
{
	char own[CONFIG_NAME_MAX];
	size_t i;

	for (i = 0; i < count; i++) {
		counter_strip(items[i].name, own, sizeof(own));
		if (config_name_matches(pattern, own) ||
			config_name_matches(pattern, items[i].name))
			break;
	}
	return i;
}

/* Those without tries are at the list's end: where the default is one, the first of all stands in for it,
 * which is the default itself when no entry has tries. */
static EFI_STATUS find_default(const struct loader_config *config, size_t count, size_t *chosen)
{
	size_t found = 0;

	*chosen = 0;
	if (config->default_entry[0])
		found = find_entry(config->default_entry, count);
	if (found == count)
		return fail(EFI_NOT_FOUND, "`default %s` in loader.conf names no boot entry",
			config->default_entry);
	if (counter_is_bad(items[found].name) && !counter_is_bad(items[0].name))
		warn("%s has used up its tries: %s is booted in its place", items[found].name,
			items[0].name);
	else
		*chosen = found;
	return EFI_SUCCESS;
}

static void use_defaults(struct loader *l)
{
	text_copy(l->entry_name, sizeof(l->entry_name), "defaults");
	text_copy(l->entry.kernel, sizeof(l->entry.kernel), DEFAULT_KERNEL);
	text_copy(l->entry.initrds[0], sizeof(l->entry.initrds[0]), DEFAULT_INITRD);
	l->entry.initrd_count = 1;
	l->default_initrd = true;
}

static EFI_STATUS menu_options(
	struct loader *l, const struct menu_item *item, struct command_line *line)
{
	static struct boot_entry entry;
	char folder[LOADER_PATH_MAX], path[2 * LOADER_PATH_MAX];
	EFI_STATUS status;

	entries_folder(&l->options, folder, sizeof(folder));
	text_format(path, sizeof(path), "%s%s", folder, item->name);
	status = read_entry(l, path, &entry);
	if (!EFI_ERROR(status))
		*line = entry.options;
	return status;
}

/* For the running system: interface.h. */
static void note_names(struct loader *l, size_t count)
{
	char own[CONFIG_NAME_MAX];
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		size_t length;

		counter_strip(items[i].name, own, sizeof(own));
		length = text_length(own) + 1;
		if (at + length > LISTED_MAX)
			break;
		path_to_ucs2(own, l->entries + at, length);
		at += length;
	}
	l->entries_size = at * sizeof(l->entries[0]);
}

static EFI_STATUS choose_from_folder(
	struct loader *l, const struct loader_config *config, const char *folder)
{
	static struct command_line edited_line;
	bool edited = false;
	size_t count, chosen;
	EFI_STATUS status;

	status = list_names(l, folder, &count);
	if (EFI_ERROR(status))
		return status;
	read_titles(l, folder, &count);
	note_names(l, count);
	if (!count && !config->default_entry[0]) {
		use_defaults(l);
		return EFI_SUCCESS;
	}
	status = find_default(config, count, &chosen);
	if (!EFI_ERROR(status) && config->timeout && count > 1)
		status = menu_run(l, items, count, config->timeout, menu_options, &chosen,
			&edited_line, &edited);
	if (!EFI_ERROR(status))
		status = take_listed(l, folder, items[chosen].name);
	if (!EFI_ERROR(status) && edited)
		status = trust_bytes(
			l, "the options typed in the menu", edited_line.text, edited_line.length);
	if (!EFI_ERROR(status) && edited)
		l->entry.options = edited_line;
	return status;
}

/* One that the load options name, which is booted even without tries. */
static EFI_STATUS take_named(struct loader *l, const char *folder, const char *name)
{
	EFI_STATUS status = take_entry(l, folder, name);
	size_t count, found;

	if (status != EFI_NOT_FOUND)
		return status;
	status = list_names(l, folder, &count);
	if (EFI_ERROR(status))
		return status;
	found = config_is_pattern(name) ? count : find_entry(name, count);
	status = found < count ? take_entry(l, folder, items[found].name) : EFI_NOT_FOUND;
	return status == EFI_NOT_FOUND ? fail(status, "%s%s: no such boot entry", folder, name)
				       : status;
}

/* Which entry, by load options or configuration. */
static EFI_STATUS choose_entry(struct loader *l, const struct loader_options *options)
{
	char folder[LOADER_PATH_MAX];
	struct loader_config config;
	EFI_STATUS status = read_loader_conf(l, options, &config);

	if (EFI_ERROR(status))
		return status;
	entries_folder(options, folder, sizeof(folder));
	if (options->entry[0])
		return take_named(l, folder, options->entry + 1);
	if (!config.timeout && config.default_entry[0] && !config_is_pattern(config.default_entry))
		status = take_entry(l, folder, config.default_entry);
	else
		status = EFI_NOT_FOUND;
	if (status != EFI_NOT_FOUND)
		return status;
	return choose_from_folder(l, &config, folder);
}

EFI_STATUS choose_boot(struct loader *l)
{
	static struct command_line given;
	struct complaint why;
	enum verdict verdict;
	EFI_STATUS status;

	status = read_load_options(l, &given, &l->options);
	if (!EFI_ERROR(status))
		status = l->own.kernel.data ? use_own_file(l) : choose_entry(l, &l->options);
	if (EFI_ERROR(status))
		return status;
	verdict = command_line_append(&l->command_line, l->entry.options.text, &why);
	if (!verdict)
		verdict = command_line_append(&l->command_line, given.text, &why);
	if (!verdict)
		verdict = command_line_read(&l->command_line, &l->options, &why);
	if (verdict)
		return fail_verdict(verdict, "", &why);
	if (!l->own.kernel.data || given.length)
		measure_options(l);
	return EFI_SUCCESS;
}

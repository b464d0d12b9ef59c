/* SPDX-License-Identifier: MIT */
/*
 * execve and what it is given: ELF files made by hand, right ones of every odd form that Linux
 * takes, and broken ones with the errno that Linux refuses them by.
 */
#include "elf_file.h"

/* exit_group(42) */
static const unsigned char exit_42[] = {0xb8, 231, 0, 0, 0, 0xbf, 42, 0, 0, 0, 0x0f, 0x05};
/* exit_group(the byte at the address in the next 8 bytes of the code) */
static const unsigned char exit_byte[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, /* movabs rax, ... */
	0x0f, 0xb6, 0x38, /* movzx edi, byte [rax] */
	0xb8, 231, 0, 0, 0, 0x0f, 0x05};
/* writes there first: mov byte [rax], 9 */
static const unsigned char exit_written[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xc6, 0x00, 9,
	0x0f, 0xb6, 0x38, 0xb8, 231, 0, 0, 0, 0x0f, 0x05};
/* exit_group(the byte at the end of this code + 0x1000), position independent */
static const unsigned char exit_relative[] = {0x48, 0x8d, 0x05, 0, 0, 0, 0, /* lea rax, [rip] */
	0x0f, 0xb6, 0xb8, 0xf9, 0x0f, 0, 0, /* movzx edi, byte [rax + 0xff9] */
	0xb8, 231, 0, 0, 0, 0x0f, 0x05};

static char *argv_one[] = {"elf", NULL};
static struct elf_file elf;

static void run(int expected, const char *name)
{
	int result = elf_run(&elf, argv_one);

	if (expected < 0 || result < 0)
		claim_result(result, expected, name);
	else
		claim_ended(result, expected, name);
}

static void simple(void)
{
	elf_simple(&elf, exit_42, sizeof exit_42);
}

/* A second segment, RW, with `filesz` bytes of 7s from the file's end, at `vaddr`; the code
 * exits with the byte at `look`. */
static void with_data(unsigned long vaddr, size_t filesz, size_t memsz, unsigned long look,
	const unsigned char *code, size_t code_size)
{
	size_t offset = 0x1000 + vaddr % 4096;

	elf_simple(&elf, code, code_size);
	memcpy(elf.bytes + ELF_CODE + 2, &look, sizeof look);
	memset(elf.bytes + offset, 7, filesz + 64); /* what stands behind must not be seen */
	elf.segment[1] = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = offset,
		.p_vaddr = vaddr,
		.p_paddr = vaddr,
		.p_filesz = filesz,
		.p_memsz = memsz,
		.p_align = 4096};
	elf.header.e_phnum = 2;
	elf.size = offset + filesz + 64;
}
#define READ_AT(vaddr, filesz, memsz, look) \
	with_data(vaddr, filesz, memsz, look, exit_byte, sizeof exit_byte)
#define WRITE_AT(vaddr, filesz, memsz, look) \
	with_data(vaddr, filesz, memsz, look, exit_written, sizeof exit_written)

static void good_segments(void)
{
	simple();
	run(EXITED(42), "one segment");
	READ_AT(0x500000, 100, 100, 0x500000);
	run(EXITED(7), "data: its first byte");
	READ_AT(0x500000, 100, 100, 0x500063);
	run(EXITED(7), "data: its last byte");
	READ_AT(0x500000, 100, 200, 0x500064);
	run(EXITED(0), "bss: its first byte is zero, whatever the file has there");
	READ_AT(0x500000, 100, 0x3000, 0x502fff);
	run(EXITED(0), "bss: its last byte, two pages on");
	WRITE_AT(0x500000, 100, 0x3000, 0x502fff);
	run(EXITED(9), "bss is writable");
	READ_AT(0x500123, 100, 100, 0x500123);
	run(EXITED(7), "data at an odd address");
	READ_AT(0x500123, 100, 300, 0x500123 + 100);
	run(EXITED(0), "bss at an odd address");
	READ_AT(0x500ff0, 100, 100, 0x501010);
	run(EXITED(7), "data across a page's end");
	READ_AT(0x500000, 0, 0x2000, 0x501000);
	run(EXITED(0), "a segment that is all bss");
	READ_AT(0x500000, 100, 100, 0x503000);
	run(KILLED(SIGSEGV), "behind the last segment is nothing");
	WRITE_AT(0x500000, 100, 100, 0x400000);
	run(KILLED(SIGSEGV), "an R-X segment is not writable");
	WRITE_AT(0x500000, 100, 100, 0x500000);
	elf.segment[1].p_flags = PF_R;
	run(KILLED(SIGSEGV), "an R-- segment is not writable");
	READ_AT(0x500000, sizeof exit_42, sizeof exit_42, 0);
	memcpy(elf.bytes + 0x1000, exit_42, sizeof exit_42);
	elf.header.e_entry = 0x500000;
	run(KILLED(SIGSEGV), "an RW- segment is not executable");
	elf.segment[1].p_flags = PF_R | PF_W | PF_X;
	run(EXITED(42), "an RWX segment is what it says");
}

static void odd_but_good(void)
{
	simple();
	elf.segment[1] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 0x200, .p_filesz = 16};
	elf.segment[2] = (Elf64_Phdr){.p_type = 0x6abcdef0, .p_offset = 1ul << 60, .p_filesz = 1};
	elf.header.e_phnum = 3;
	run(EXITED(42), "segments of unknown types do not matter");
	simple();
	elf.header.e_shoff = ~0ul;
	elf.header.e_shnum = 0xff00;
	run(EXITED(42), "section headers do not matter");
	simple();
	memset(elf.header.e_ident + EI_VERSION, 0xee, EI_NIDENT - EI_VERSION);
	run(EXITED(42), "the rest of e_ident does not matter");
	simple();
	elf.header.e_version = 99;
	run(EXITED(42), "e_version does not matter");
	simple();
	elf.segment[0].p_paddr = 12345;
	run(EXITED(42), "p_paddr does not matter");
	simple();
	elf.header.e_entry = ELF_BASE + 0x10000;
	run(KILLED(SIGSEGV), "an entry outside all segments faults at once");
	simple();
	elf.header.e_entry = 0xffffffff80000000ul;
	run(KILLED(SIGSEGV), "an entry in the kernel faults at once");
}

/* ET_DYN without an interpreter: where it is put is the kernel's choice. */
static void static_pie(void)
{
	elf_simple(&elf, exit_relative, sizeof exit_relative);
	elf.header.e_type = ET_DYN;
	elf.header.e_entry = ELF_CODE;
	elf.segment[0].p_vaddr = 0;
	elf.segment[1] = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = 0x1000,
		.p_vaddr = 0x1000,
		.p_filesz = 0x1000,
		.p_memsz = 0x1000,
		.p_align = 4096};
	elf.header.e_phnum = 2;
	memset(elf.bytes + 0x1000, 0, 0x1000);
	elf.bytes[ELF_CODE + 7 + 0xff9] = 77;
	elf.size = 0x2000;
	run(EXITED(77), "a static-pie: its data is where it expects it");
}

static void refused(void)
{
	static const unsigned char text[] = "#!/no/such/interpreter\n", plain[] = "just text\n";

	elf = (struct elf_file){.size = 0};
	run(-ENOEXEC, "an empty file: ENOEXEC");
	elf.size = 4096;
	run(-ENOEXEC, "zeroes: ENOEXEC");
	memcpy(elf.bytes, plain, elf.size = sizeof plain - 1);
	run(-ENOEXEC, "text: ENOEXEC");
	memcpy(elf.bytes, text, elf.size = sizeof text - 1);
	run(-ENOENT, "a script whose interpreter is not there: ENOENT");
	simple();
	elf.size = 20;
	run(-ENOEXEC, "cut off in the header: ENOEXEC");
	simple();
	elf.bytes[3] = 'f';
	run(-ENOEXEC, "a wrong magic number: ENOEXEC");
	simple();
	elf.header.e_machine = EM_AARCH64;
	run(-ENOEXEC, "another machine: ENOEXEC");
	simple();
	elf.header.e_type = ET_REL;
	run(-ENOEXEC, "an object file: ENOEXEC");
	simple();
	elf.header.e_type = ET_CORE;
	run(-ENOEXEC, "a core dump: ENOEXEC");
	simple();
	elf.header.e_phentsize = 32;
	run(-ENOEXEC, "program headers of another size: ENOEXEC");
	simple();
	elf.header.e_phnum = 0;
	run(-ENOEXEC, "no program headers: ENOEXEC");
	simple();
	elf.header.e_phnum = 2000;
	run(-ENOEXEC, "2,000 program headers: ENOEXEC");
}

/* Broken in what Linux only finds once the old program is gone: SIGSEGV. A kernel that looks
 * before it commits may refuse with an errno instead; running it is wrong. */
static void refuse(const char *name)
{
	int result = elf_run(&elf, argv_one);

	if (result == -ENOEXEC || result == -EINVAL || result == -ENOMEM)
		claim(true, "%s", name);
	else
		claim_ended(result, KILLED(SIGSEGV), name);
}

static void refused_late(void)
{
	simple();
	elf.header.e_phoff = 1ul << 40;
	run(-ENOEXEC, "program headers past the file's end: ENOEXEC");
	READ_AT(0x500000, 200, 100, 0x500000);
	refuse("a segment longer in the file than in memory");
	READ_AT(0x500000, 100, 1ul << 47, 0x500000);
	refuse("a segment of 128 TiB");
	simple();
	elf.segment[0].p_vaddr = 0xffffffff80000000ul;
	refuse("a segment in the kernel");
	simple();
	elf.segment[0].p_vaddr = 0x00007ffffffff000ul;
	refuse("a segment behind the last address");
	READ_AT(0x500000, 100, 100, 0x500000);
	elf.segment[1].p_offset += 5;
	refuse("offset and address differ within the page");
	READ_AT(0x500000, 100, 100, 0x500000);
	elf.segment[1].p_offset = 0x100000;
	run(KILLED(SIGBUS), "a segment past the file's end: SIGBUS where it is touched");
	simple();
	elf.segment[0].p_type = PT_NOTE;
	refuse("no segment to load");
}

static void not_executable(void)
{
	char path[64];
	long result;

	simple();
	elf_write(&elf, path, sizeof path, 0644);
	result = kernel_call(SYS_execve, path, argv_one, environ);
	claim_result(result, -EACCES, "no x bit: EACCES");
	unlink(path);
}

static void all(int argc, char **argv)
{
	good_segments();
	odd_but_good();
	static_pie();
	refused();
	refused_late();
	not_executable();
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}

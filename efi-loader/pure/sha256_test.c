/* SPDX-License-Identifier: MIT */
#include "sha256.h"

#include "check.h"

static void text_of(const struct sha256 *digest, char *out)
{
	for (unsigned int i = 0; i < SHA256_SIZE; i++)
		sprintf(out + 2 * i, "%02x", digest->bytes[i]);
}

static void is(const void *data, uint64_t size, const char *expected)
{
	struct sha256 digest = sha256_of(data, size);
	char text[2 * SHA256_SIZE + 1];

	text_of(&digest, text);
	CHECK_TEXT(text, expected);
}

/* NIST's examples, and the lengths around a block's end by coreutils' sha256sum. */
static void standard_ones(void)
{
	static char as[1000000];

	memset(as, 'a', sizeof(as));
	is("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	is("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	is("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	is(as, sizeof(as), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	is(as, 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
	is(as, 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
	is(as, 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34");
	is(as, 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
	is(as, 65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0");
}

#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static bool listed(const char *list)
{
	struct sha256 digest = sha256_of("abc", 3);
	size_t size = strlen(list);
	char *copy = malloc(size + !size);
	bool found;

	memcpy(copy, list, size); /* without its NUL: not a byte too far */
	found = sha256_is_listed(&digest, copy, size);
	free(copy);
	return found;
}

static void lists(void)
{
	CHECK(listed(ABC));
	CHECK(listed(ABC "\n"));
	CHECK(listed(ABC "  kernel.elf\n"));
	CHECK(listed(EMPTY "  nothing\n" ABC "  kernel.elf\r\n"));
	CHECK(listed(
		"# a note\n\nBA7816BF8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	CHECK(!listed(""));
	CHECK(!listed(EMPTY));
	CHECK(!listed("a" ABC));
	CHECK(!listed(" " ABC));
	CHECK(!listed(ABC "0"));
	CHECK(!listed("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"));
	CHECK(!listed("ba7816bf8f01cfea414140de5dae2223\nb00361a396177a9cb410ff61f20015ad"));
	CHECK(!listed("bg7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	CHECK(!listed("ca7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

int main(void)
{
	standard_ones();
	lists();
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The C library's memory and string functions, with its meanings. memcpy, memmove, memset and
 * memcmp are the arch's (kernel/arch/x86_64/memory.S) or, on the host, the C library's. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *at, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *haystack, const char *needle);
void *memchr(const void *at, int byte, size_t size);
/* Copies at most size - 1 bytes and always ends with NUL; returns strlen(from). */
size_t string_copy(char *to, const char *from, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How the running system tells the loader that an entry with a boot counter came up: a variable whose value is the
 * path of the entry's file as LoaderBootCountPath gave it, UCS-2 with its NUL. The loader takes the counter out of
 * that file's name and deletes the variable.
 */
#ifndef BATON_BOOT_GOOD_H
#define BATON_BOOT_GOOD_H

#include "panic_record.h"

#define BOOT_GOOD_NAME       L"BatonBootGood"
#define BOOT_GOOD_GUID       PANIC_VARIABLE_GUID
#define BOOT_GOOD_ATTRIBUTES PANIC_VARIABLE_ATTRIBUTES
#define BOOT_GOOD_FILE       "BatonBootGood-fca614f8-d396-4130-b63c-1cbe6616f703" /* in efivarfs */

#endif

/* SPDX-License-Identifier: MIT */
/* Included before everything: the PE linker has no GOT, so all symbols, also those that are only
 * declared, must be known to be in the same image. */
#pragma GCC visibility push(hidden)

/* SPDX-License-Identifier: MIT */
/* Included before everything: all symbols, declared ones too, are reached without a GOT. */
#pragma GCC visibility push(hidden)

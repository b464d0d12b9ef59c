/* SPDX-License-Identifier: MIT */
#include "smbios.h"

int smbios_next(struct span table, size_t *at, struct smbios_structure *structure)
{
	size_t length = le8(table, *at + 1), end = *at + length;

	if (*at >= table.size)
		return 0;
	if (length < 4 || end > table.size)
		return -1;
	*structure = (struct smbios_structure){
		le8(table, *at), le16(table, *at + 2), span_part(table, *at, length)};
	while (end + 1 < table.size && le16(table, end))
		end++;
	if (end + 1 >= table.size)
		return -1;
	*at = end + 2;
	return 1;
}

const char *smbios_anchor(struct span anchor, unsigned version)
{
	size_t length = le8(anchor, version == 3 ? 6 : 5);

	if (!span_starts(anchor, version == 3 ? "_SM3_" : "_SM_"))
		return "its signature is wrong";
	if (length < (version == 3 ? 24u : 31u) || length > anchor.size)
		return "its length is wrong";
	if (span_sum(span_part(anchor, 0, length)))
		return "its checksum is wrong";
	if (version == 2 && (!span_starts(span_part(anchor, 16, 5), "_DMI_") ||
				    span_sum(span_part(anchor, 16, 15))))
		return "its second half is wrong";
	return NULL;
}

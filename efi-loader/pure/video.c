/* SPDX-License-Identifier: MIT */
#include "video.h"

static bool one_run_of_bits(uint32_t mask)
{
	uint32_t low = mask & (0u - mask);

	return mask && ((mask + low) & mask) == 0;
}

/* Three channels apart from each other, each one run of bits, in a pixel of 32 bits. */
static bool masks_usable(const struct video_mode *m)
{
	uint32_t all = m->red_mask | m->green_mask | m->blue_mask | m->reserved_mask;

	return one_run_of_bits(m->red_mask) && one_run_of_bits(m->green_mask) &&
	       one_run_of_bits(m->blue_mask) && !(m->red_mask & m->green_mask) &&
	       !(m->red_mask & m->blue_mask) && !(m->green_mask & m->blue_mask) && all >> 24;
}

bool video_mode_usable(const struct video_mode *m)
{
	if (!m->width || !m->height || m->pixels_per_line < m->width || m->width > 65535 ||
		m->height > 65535 || m->pixels_per_line > 65535)
		return false;
	return m->format == VIDEO_RGBX || m->format == VIDEO_BGRX ||
	       (m->format == VIDEO_BIT_MASK && masks_usable(m));
}

static bool large_enough(const struct video_mode *m)
{
	return m->width >= VIDEO_LEAST_WIDTH && m->height >= VIDEO_LEAST_HEIGHT;
}

static uint64_t area(const struct video_mode *m)
{
	return (uint64_t)m->width * m->height;
}

uint32_t video_choose(const struct video_mode *modes, uint32_t count, uint32_t current,
	uint32_t width, uint32_t height, bool *found)
{
	bool current_usable = current < count && video_mode_usable(&modes[current]);
	uint32_t best = UINT32_MAX;

	*found = true;
	if (width && current_usable && modes[current].width == width &&
		modes[current].height == height)
		return current;
	for (uint32_t i = 0; width && i < count; i++)
		if (video_mode_usable(&modes[i]) && modes[i].width == width &&
			modes[i].height == height)
			return i;
	*found = !width;
	if (current_usable && large_enough(&modes[current]))
		return current;
	for (uint32_t i = 0; i < count; i++)
		if (video_mode_usable(&modes[i]) && large_enough(&modes[i]) &&
			(best == UINT32_MAX || area(&modes[i]) < area(&modes[best])))
			best = i;
	return best == UINT32_MAX ? current : best;
}

enum verdict video_describe(const struct video_mode *mode, uint64_t base, uint64_t size,
	struct handoff_framebuffer *out, struct complaint *why)
{
	uint64_t needed = (uint64_t)mode->pixels_per_line * 4 * mode->height;

	*out = (struct handoff_framebuffer){0};
	if (!video_mode_usable(mode))
		return refuse(why, VERDICT_UNSUPPORTED,
			"graphics: %ux%u in format %u has no linear framebuffer of 32 bits a pixel",
			mode->width, mode->height, mode->format);
	if (!base || size < needed || base + size < base)
		return refuse(why, VERDICT_MALFORMED,
			"graphics: framebuffer of 0x%lx bytes at 0x%lx, the mode needs 0x%lx", size,
			base, needed);
	*out = (struct handoff_framebuffer){
		.base = base,
		.size = needed,
		.width = mode->width,
		.height = mode->height,
		.pitch = mode->pixels_per_line * 4,
		.red_mask = mode->red_mask,
		.green_mask = mode->green_mask,
		.blue_mask = mode->blue_mask,
		.reserved_mask = mode->reserved_mask,
	};
	if (mode->format != VIDEO_BIT_MASK) {
		out->red_mask = mode->format == VIDEO_RGBX ? 0x000000ff : 0x00ff0000;
		out->green_mask = 0x0000ff00;
		out->blue_mask = mode->format == VIDEO_RGBX ? 0x00ff0000 : 0x000000ff;
		out->reserved_mask = 0xff000000;
	}
	return VERDICT_OK;
}

/* SPDX-License-Identifier: MIT */
#include "video.h"

#include "check.h"

static struct complaint why;

static struct video_mode mode(uint32_t width, uint32_t height, uint32_t format)
{
	return (struct video_mode){
		.width = width, .height = height, .format = format, .pixels_per_line = width};
}

static void chooses(void)
{
	struct video_mode m[] = {mode(640, 480, VIDEO_BGRX), mode(1920, 1080, VIDEO_BGRX),
		mode(1024, 768, VIDEO_RGBX), mode(800, 600, VIDEO_BLT_ONLY),
		mode(1280, 800, VIDEO_BGRX)};
	bool found;

	/* The firmware's stays when it is large enough. */
	CHECK_EQUAL(video_choose(m, 5, 1, 0, 0, &found), 1);
	CHECK(found);
	/* Too small, or unusable: the smallest that is neither. */
	CHECK_EQUAL(video_choose(m, 5, 0, 0, 0, &found), 2);
	CHECK_EQUAL(video_choose(m, 5, 3, 0, 0, &found), 2);
	/* What is asked for, even small. */
	CHECK_EQUAL(video_choose(m, 5, 1, 640, 480, &found), 0);
	CHECK(found);
	CHECK_EQUAL(video_choose(m, 5, 4, 1280, 800, &found), 4);
	/* Not there: as if nothing had been asked for. */
	CHECK_EQUAL(video_choose(m, 5, 1, 800, 600, &found), 1);
	CHECK(!found);
	/* Nothing better. */
	CHECK_EQUAL(video_choose(m, 1, 0, 0, 0, &found), 0);
	CHECK_EQUAL(video_choose(m, 0, 7, 0, 0, &found), 7);
	CHECK_EQUAL(video_choose(m, 0, 7, 800, 600, &found), 7);
	CHECK(!found);
}

static void knows_formats(void)
{
	struct video_mode m = mode(800, 600, VIDEO_BIT_MASK);

	CHECK(!video_mode_usable(&m));
	m.red_mask = 0x3ff00000;
	m.green_mask = 0x000ffc00;
	m.blue_mask = 0x000003ff;
	CHECK(video_mode_usable(&m));
	m.green_mask = 0x000ff400;
	CHECK(!video_mode_usable(&m));
	m.green_mask = 0x001ffc00;
	CHECK(!video_mode_usable(&m));
	m = mode(800, 600, VIDEO_BIT_MASK);
	m.red_mask = 0xf800;
	m.green_mask = 0x07e0;
	m.blue_mask = 0x001f; /* 16 bits a pixel */
	CHECK(!video_mode_usable(&m));
	m = mode(800, 600, VIDEO_BGRX);
	m.pixels_per_line = 799;
	CHECK(!video_mode_usable(&m));
	m = mode(800, 600, 4);
	CHECK(!video_mode_usable(&m));
	m = mode(70000, 600, VIDEO_RGBX);
	CHECK(!video_mode_usable(&m));
}

static void describes(void)
{
	struct video_mode m = mode(1366, 768, VIDEO_BGRX);
	struct handoff_framebuffer f;

	m.pixels_per_line = 1376;
	CHECK_EQUAL(video_describe(&m, 0xc0000000, 1376 * 4 * 768, &f, &why), VERDICT_OK);
	CHECK_EQUAL(f.pitch, 5504);
	CHECK_EQUAL(f.size, 1376 * 4 * 768);
	CHECK_EQUAL(f.red_mask, 0xff0000);
	CHECK_EQUAL(f.blue_mask, 0xff);
	CHECK_EQUAL(
		video_describe(&m, 0xc0000000, 1376 * 4 * 768 - 1, &f, &why), VERDICT_MALFORMED);
	CHECK_EQUAL(f.size, 0);
	CHECK_EQUAL(video_describe(&m, 0, UINT64_MAX, &f, &why), VERDICT_MALFORMED);
	CHECK_EQUAL(video_describe(&m, UINT64_MAX - 5, UINT64_MAX, &f, &why), VERDICT_MALFORMED);
	m.format = VIDEO_RGBX;
	CHECK_EQUAL(video_describe(&m, 0xc0000000, 1 << 30, &f, &why), VERDICT_OK);
	CHECK_EQUAL(f.red_mask, 0xff);
	m.format = VIDEO_BLT_ONLY;
	CHECK_EQUAL(video_describe(&m, 0xc0000000, 1 << 30, &f, &why), VERDICT_UNSUPPORTED);
}

int main(void)
{
	chooses();
	knows_formats();
	describes();
	return 0;
}

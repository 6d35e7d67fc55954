/*
 * test-bar.c: the progress line in every width.
 */
#include "output/bar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    size_t width;
    struct bar bar;
    const char *line;
} rows[] = {
    {80,
     {{NULL}, 0, 297632, 0, 0, false},
     "[>                                   ]   0%     0.0 KiB            ?  -:-- left"},
    {80,
     {{NULL}, 148816, 297632, 0, 2000000, false},
     "[==================>                 ]  50%   145.3 KiB   72.7 KiB/s  0:02 left"},
    {80,
     {{NULL}, 297632, 297632, 0, 4000000, false},
     "[====================================] 100%   290.7 KiB   72.7 KiB/s  verifying"},
    {80,
     {{NULL}, 297632, 297632, 0, 4000000, true},
     "[====================================] 100%   290.7 KiB   72.7 KiB/s  delivered"},
    {80,
     {{NULL}, 595264, 297632, 0, 4000000, false},
     "[====================================] 100%   290.7 KiB   72.7 KiB/s  verifying"},
    {60,
     {{NULL}, 148816, 297632, 0, 2000000, false},
     "[========>       ]  50%   145.3 KiB   72.7 KiB/s  0:02 left"},
    {41, {{NULL}, 148816, 297632, 0, 2000000, false}, " 50%   145.3 KiB   72.7 KiB/s  0:02 left"},
    {40, {{NULL}, 0, 297632, 0, 0, false}, "[>                  ]   0%            ?"},
    {40, {{NULL}, 148816, 297632, 0, 2000000, false}, "[=========>         ]  50%   72.7 KiB/s"},
    {31, {{NULL}, 148816, 297632, 0, 2000000, false}, "[=====>    ]  50%   72.7 KiB/s"},
    {30, {{NULL}, 148816, 297632, 0, 2000000, false}, " 50%   72.7 KiB/s"},
    {20, {{NULL}, 148816, 297632, 0, 2000000, false}, " 50%   72.7 KiB/s"},
    {6, {{NULL}, 148816, 297632, 0, 2000000, false}, "50%"},
    {3, {{NULL}, 148816, 297632, 0, 2000000, false}, "50"},
    {0, {{NULL}, 148816, 297632, 0, 2000000, false}, ""},
    {80,
     {{"3 of 40 done, 16 running"}, 1488160, 2976320, 0, 2000000, false},
     "[===========>           ] 3 of 40 done, 16 running  50%  726.6 KiB/s  0:02 left"},
    {60,
     {{"3 of 40 done, 1 failed, 16 running"}, 1488160, 2976320, 0, 2000000, false},
     "3 of 40 done, 1 failed, 16 running  50%  0:02 left"},
    {39,
     {{"3 of 40 done, 1 failed, 16 running"}, 1488160, 2976320, 0, 2000000, false},
     "[================>               ] 50%"},
    {40,
     {{"3 of 40 done, 1 failed, 16 running"}, 1488160, 2976320, 0, 2000000, false},
     "3 of 40 done, 1 failed, 16 running  50%"},
    {70,
     {{"3 of 40 done, slowest attic 12%, all", "3/40 done, slowest attic 12%, all"},
      1000,
      2000,
      0,
      2000000,
      false},
     "3 of 40 done, slowest attic 12%, all  50%    0.5 KiB/s  0:02 left"},
    {39,
     {{"3 of 40 done, slowest attic 12%, all", "3/40 done, slowest attic 12%, all"},
      1000,
      2000,
      0,
      2000000,
      false},
     "3/40 done, slowest attic 12%, all  50%"},
    {29,
     {{"3 of 40 done, slowest attic 12%, all", "3/40 done, slowest attic 12%, all", "3 of 40 done",
       "3/40"},
      1000,
      2000,
      0,
      2000000,
      false},
     "3 of 40 done  50%  0:02 left"},
    {10,
     {{"3 of 40 done, slowest attic 12%, all", "3/40 done, slowest attic 12%, all", "3 of 40 done",
       "3/40"},
      1000,
      2000,
      0,
      2000000,
      false},
     "3/40  50%"},
    {80,
     {{NULL}, 103500, 207000, 297632, 2000000, false},
     "[=========>        ]  50%   101.1 KiB   50.5 KiB/s  0:02 left  (from 290.7 KiB)"},
    {70,
     {{NULL}, 103500, 207000, 297632, 2000000, false},
     "[=============>            ]  50%   101.1 KiB   50.5 KiB/s  0:02 left"},
    {80,
     {{NULL}, 1000, 16000000, 0, 1000000, false},
     "[>                                ]   0%    0.00 MiB    1.0 KiB/s  4:26:39 left"},
    {80,
     {{NULL}, 1, 16000000, 0, 1000000, false},
     "[>                               ]   0%    0.00 MiB    0.0 KiB/s  99:59:59 left"},
};

static void test_bar_lines(void **state)
{
    (void)state;
    char line[256];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bar_render(line, sizeof line, rows[i].width, &rows[i].bar);
        assert_string_equal(line, rows[i].line);
    }
}

static void test_never_wider_than_asked(void **state)
{
    (void)state;
    char line[512];

    for (size_t width = 0; width < 400; width++)
        for (size_t bytes = 0; bytes <= 1000000; bytes += 12500) {
            const struct bar bar = {
                {NULL}, bytes, 1000000, width % 2 * 1500000, (int64_t)bytes * 100, false};
            bar_render(line, sizeof line, width, &bar);
            assert_true(strlen(line) <= width - (width > 0));
            assert_true(width < 10 || strchr(line, '%'));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bar_lines),
        cmocka_unit_test(test_never_wider_than_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

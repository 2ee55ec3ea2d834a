# SPDX-License-Identifier: GPL-2.0
"""The figures as pictures: gnuplot draws a pair of bars for each workload."""
from bench import results
from rig import project

COLOURS = {"igb": "#9aa5b1", "igb_demo": "#1f6fb2"}
# What each picture shows: its file, its title, and (column, axis, where the axis starts).
PICTURES = (
    ("bench-instructions.svg", "What a packet costs in guest instructions, the generator's "
     "taken off", (("share", "instructions a packet", 10),)),
    ("bench-registers.svg", "Registers accessed and interrupts taken for a packet",
     (("registers", "registers a packet", 0.001), ("interrupts", "interrupts a packet", 0.001))),
)
WIDTH, HEIGHT, ROW = 1000, 140, 34
STYLE = """\
set terminal svg size {width},{height} noenhanced font 'sans-serif,13' background '#ffffff'
set output '{path}'
set multiplot layout 1,{panels} title "{title}\\n{versions}" margins 0.38,0.95,{low},{high} \
spacing 0.06
set logscale x
set style fill solid noborder
set border 1
set grid xtics linecolor '#dddddd'
set tics nomirror scale 0.5
set key outside below horizontal
"""


def _rows(workloads, driver, column, start):
    """Lines of y, x and label; what is not there has no line, and nothing a bar of no length."""
    shift = 0.2 if driver == "igb_demo" else -0.2
    for row, figures in enumerate(workloads):
        if figures.get(driver):
            number = figures[driver][column]
            label = f"{number:,.0f}" if number >= 10 else f"{number:.3g}"
            yield f"{row + shift} {max(number, start)} {label}"


def _panel(workloads, column, axis, start, labelled):
    """One system of axes."""
    lines = [f"$c{driver} << END\n" + "\n".join(_rows(workloads, driver, column, start)) + "\nEND"
             for driver in results.DRIVERS]
    most = max(figures[driver][column] for figures in workloads for driver in results.DRIVERS
               if figures.get(driver))
    titles = ", ".join(f"\"{results.title(figures) if labelled else ''}\" {row}"
                       for row, figures in enumerate(workloads))
    bars = [f"$c{driver} using 2:1:({start}):2:($1-0.19):($1+0.19) with boxxyerror "
            f"linecolor rgb '{colour}' title '{driver}', $c{driver} using 2:1:3 with labels left "
            "offset 0.4,0 font ',10' notitle" for driver, colour in COLOURS.items()]
    return "\n".join([*lines, f"set xlabel '{axis}'", f"set ytics ({titles}) scale 0",
                      f"set yrange [{len(workloads) - 0.4}:-0.6]",
                      f"set xrange [{start}:{5 * most:g}]", f"plot {', '.join(bars)}"])


def script(new, path, title, panels):
    """What gnuplot is told to draw one picture."""
    workloads = list(new["workloads"].values())
    height = HEIGHT + ROW * len(workloads)
    versions = f"igb_demo {new['commit']}, Linux {new['kernel']}, QEMU {new['qemu'].split()[0]}"
    return "\n".join([STYLE.format(width=WIDTH, height=height, path=path, title=title,
                                   versions=versions, panels=len(panels),
                                   low=round(80 / height, 3), high=round(1 - 50 / height, 3)),
                      *(_panel(workloads, *panel, labelled=not number)
                        for number, panel in enumerate(panels)), ""])


def draw(new, directory):
    """Draw all pictures."""
    for name, title, panels in PICTURES:
        project.run(["gnuplot"], input=script(new, directory / name, title, panels))

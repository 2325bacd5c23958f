"""Receipts as pictures, made up from a seed: what is on them is known, so what is read of them can be judged.

The font is Noto Sans, which has the rupee sign, at widths and weights that differ from one seed to the next.
"""

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.resources import files
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

FONT: Final = files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf"
WIDTH_PX: Final = 640
MARGIN_PX: Final = 28

DISHES: Final = (
    "Paneer Tikka", "Butter Naan", "Dal Makhani", "Masala Dosa", "Veg Biryani", "Jeera Rice", "Gulab Jamun",
    "Sweet Lassi", "Chicken 65", "Fish Curry", "Tandoori Roti", "Filter Coffee", "Malai Kofta", "Mineral Water",
    "Hara Bhara Kabab", "Veg Manchurian", "Rasmalai", "Plain Papad", "Mutton Rogan Josh", "Idli Vada",
)  # fmt: skip
GOODS: Final = (
    "AMUL BUTTER 500G", "TATA SALT 1KG", "AASHIRVAAD ATTA 5KG", "MAGGI NOODLES", "PARLE-G 250G", "SURF EXCEL 1KG",
    "COLGATE 100G", "FORTUNE OIL 1L", "TOMATO LOOSE", "ONION LOOSE", "BROWN BREAD", "EGGS 12PC", "TOOR DAL 1KG",
    "BASMATI RICE 5KG", "GREEN TEA 25", "DETTOL SOAP", "KISSAN JAM", "CURD 400G",
)  # fmt: skip
RESTAURANTS: Final = (
    "Hotel Saravana Bhavan", "Spice Garden", "Punjabi Rasoi", "Cafe Madras", "The Coastal Kitchen", "Annapoorna",
    "Biryani Durbar", "Royal Treat Restaurant",
)  # fmt: skip
SHOPS: Final = (
    "FRESH MART",
    "BIG BASKET STORE",
    "Sri Lakshmi Stores",
    "DAILY NEEDS SUPERMARKET",
    "Nilgiris 1905",
)
PUMPS: Final = ("Indian Oil", "Bharat Petroleum", "HP Auto Care Centre", "Shell India")


@dataclass
class Truth:
    """What is on a receipt; amounts in paise."""

    kind: str
    merchant: str
    date: str
    items: list[tuple[str, int]]
    tax: int
    tip: int
    total: int
    lines: list["Line"] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """One line: cells with where they end, as a part of the width; the first begins at the left."""

    cells: tuple[tuple[str, float], ...]
    size: int = 22
    centred: bool = False


def rupees(paise: int, *, sign: str = "", grouped: bool = True) -> str:
    """The amount as bills print it, with commas as in India: 1,23,456.50."""
    whole, rest = divmod(abs(paise), 100)
    digits = str(whole)
    if grouped and len(digits) > 3:
        head, tail = digits[:-3], digits[-3:]
        first = len(head) % 2
        groups = ([head[:first]] if first else []) + [head[i : i + 2] for i in range(first, len(head), 2)]
        digits = ",".join([*groups, tail])
    return f"{'-' if paise < 0 else ''}{sign}{digits}.{rest:02}"


def shown_date(day: date, rng: random.Random) -> str:
    """A day in one of the ways in which bills write it."""
    ways = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d-%b-%Y", "%d %b %Y", "%d.%m.%Y")
    return day.strftime(rng.choice(ways))


def _day(rng: random.Random) -> date:
    return date(2024, 1, 1) + timedelta(days=rng.randrange(1_000))


def _centred(words: str, size: int = 22) -> Line:
    return Line(((words, 1.0),), size, centred=True)


def _pair(label: str, value: str, size: int = 22) -> Line:
    return Line(((label, 0.0), (value, 1.0)), size)


RULE: Final = Line((("-" * 60, 0.0),), 16)


def restaurant(seed: int) -> Truth:
    """A restaurant's bill: CGST and SGST, perhaps a service charge and a tip, rounded off to a rupee."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    day, sign = _day(rng), rng.choice(["", "₹", ""])
    merchant = rng.choice(RESTAURANTS)
    items: list[tuple[str, int]] = []
    lines = [
        _centred(merchant, 34),
        _centred(f"{rng.randrange(1, 99)}, MG Road, Bengaluru 5600{rng.randrange(10, 99)}", 18),
        _centred(f"GSTIN: 29ABCDE{rng.randrange(1000, 9999)}F1Z5", 18),
        _centred(rng.choice(["TAX INVOICE", "Bill", "Cash Memo"]), 24),
        _pair(f"Bill No: {rng.randrange(100, 9999)}", f"Table: {rng.randrange(1, 30)}"),
        _pair(f"Date: {shown_date(day, rng)}", f"Time: {rng.randrange(11, 23)}:{rng.randrange(10, 60)}"),
        RULE,
        Line((("Item", 0.0), ("Qty", 0.58), ("Rate", 0.78), ("Amount", 1.0))),
        RULE,
    ]
    for name in rng.sample(DISHES, rng.randrange(3, 9)):
        quantity, rate = rng.choice([1, 1, 2, 3, 4]), rng.randrange(3, 90) * 500
        items.append((name, quantity * rate))
        cells = ((name, 0.0), (str(quantity), 0.58), (rupees(rate), 0.78), (rupees(quantity * rate), 1.0))
        lines.append(Line(cells))
    subtotal = sum(amount for _, amount in items)
    lines += [RULE, _pair(rng.choice(["Sub Total", "Subtotal", "SUB TOTAL"]), rupees(subtotal, sign=sign))]
    service = subtotal * rng.choice([5, 10]) // 100 if rng.random() < 0.35 else 0
    if service:
        lines.append(_pair("Service Charge", rupees(service)))
    half = round((subtotal + service) * 0.025)
    lines += [
        _pair(rng.choice(["CGST @ 2.5%", "CGST 2.50%", "Add CGST @2.5%"]), rupees(half)),
        _pair(rng.choice(["SGST @ 2.5%", "SGST 2.50%", "Add SGST @2.5%"]), rupees(half)),
    ]
    tip = rng.choice([2_000, 5_000, 10_000]) if rng.random() < 0.2 else 0
    if tip:
        lines.append(_pair("Tip", rupees(tip)))
    exact = subtotal + service + 2 * half + tip
    total = (exact + 50) // 100 * 100
    if total != exact:
        lines.append(_pair(rng.choice(["Round Off", "Round off", "Rounding"]), rupees(total - exact)))
    label = rng.choice(["Grand Total", "GRAND TOTAL", "Net Payable", "Total", "Bill Amount"])
    lines += [RULE, _pair(label, rupees(total, sign=sign), 28), RULE, _centred("Thank you! Visit again", 20)]
    return Truth("restaurant", merchant, day.isoformat(), items, 2 * half, tip, total, lines)


def supermarket(seed: int) -> Truth:
    """A supermarket's: names above quantities, prices with tax in them, a discount now and then."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    day, merchant, items = _day(rng), rng.choice(SHOPS), list[tuple[str, int]]()
    two_lines = rng.random() < 0.5
    lines = [
        _centred(merchant, 32),
        _centred("Ph: 080-2345" + str(rng.randrange(1000, 9999)), 18),
        _centred("FSSAI No 1121500" + str(rng.randrange(100000, 999999)), 18),
        _pair(f"Bill: {rng.randrange(10000, 99999)}", f"Dt: {shown_date(day, rng)}", 20),
        RULE,
    ]
    if not two_lines:
        lines.append(Line((("Particulars", 0.0), ("MRP", 0.6), ("Qty", 0.75), ("Amt", 1.0)), 20))
    for name in rng.sample(GOODS, rng.randrange(4, 13)):
        quantity, rate = (
            rng.choice([1, 1, 1, 2, 3, 6]),
            rng.randrange(10, 700) * 100 + rng.choice([0, 0, 50, 99]),
        )
        items.append((name, quantity * rate))
        if two_lines:
            lines.append(Line(((name, 0.0),), 20))
            detail = f"   {quantity} x {rupees(rate)}"
            lines.append(Line(((detail, 0.0), (rupees(quantity * rate), 1.0)), 20))
        else:
            cells = ((name, 0.0), (rupees(rate), 0.6), (str(quantity), 0.75), (rupees(quantity * rate), 1.0))
            lines.append(Line(cells, 20))
    subtotal = sum(amount for _, amount in items)
    lines.append(RULE)
    lines.append(_pair(f"Items: {len(items)}", f"Gross Amt: {rupees(subtotal)}", 20))
    discount = rng.randrange(1, 8) * 1_000 if rng.random() < 0.4 else 0
    if discount:
        lines.append(_pair("Discount", rupees(-discount)))
    total = subtotal - discount
    lines.append(_pair(rng.choice(["TOTAL", "Net Amount", "Total Amount"]), rupees(total), 28))
    lines += [_pair(rng.choice(["Cash", "Paid by UPI", "Card"]), rupees(total), 20), RULE]
    tax = total * 5 // 105
    lines += [
        _centred("GST included in the above", 18),
        _pair("CGST", rupees(tax // 2), 20),
        _pair("SGST", rupees(tax // 2), 20),
        _centred("** Have a nice day **", 20),
    ]
    return Truth("supermarket", merchant, day.isoformat(), items, tax // 2 * 2, 0, total, lines)


def fuel(seed: int) -> Truth:
    """A filling station's: one product, a rate and a volume."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    day, merchant = _day(rng), rng.choice(PUMPS)
    product, rate = rng.choice([("Petrol", 10_286), ("Diesel", 8_872), ("XP95", 10_995), ("Speed", 11_012)])
    total = rng.choice([50_000, 100_000, 150_000, 200_000, rng.randrange(20_000, 400_000)])
    litres = total / rate
    lines = [
        _centred(merchant, 32),
        _centred("Whitefield Service Station", 20),
        _centred("Tel. No: 98450" + str(rng.randrange(10000, 99999)), 18),
        _pair("Receipt No", str(rng.randrange(1000, 99999))),
        _pair("Pump No", str(rng.randrange(1, 9))),
        _pair("Nozzle No", str(rng.randrange(1, 5))),
        _pair("Product", product),
        _pair(rng.choice(["Rate/Ltr", "Rate (Rs/L)"]), rupees(rate)),
        _pair(rng.choice(["Volume (L)", "Volume(Ltr)"]), f"{litres:.2f}"),
        _pair(
            rng.choice(["Amount", "Amount (Rs)", "Sale"]), rng.choice(["", "Rs.", "₹"]) + rupees(total), 26
        ),
        RULE,
        _pair("Date", shown_date(day, rng)),
        _pair("Time", f"{rng.randrange(0, 24):02}:{rng.randrange(10, 60)}"),
        _centred("Save fuel. Drive safely.", 20),
    ]
    return Truth("fuel", merchant, day.isoformat(), [(product, total)], 0, 0, total, lines)


KINDS: Final[dict[str, Callable[[int], Truth]]] = {
    "restaurant": restaurant,
    "supermarket": supermarket,
    "fuel": fuel,
}


def rendered(lines: Sequence[Line], seed: int) -> Image.Image:
    """The lines on white paper."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    weight, width = rng.choice([400, 500, 600]), rng.choice([85, 90, 100])
    fonts: dict[int, ImageFont.FreeTypeFont] = {}
    heights = [int(line.size * 1.45) for line in lines]
    image = Image.new("L", (WIDTH_PX, sum(heights) + 2 * MARGIN_PX), 255)
    draw = ImageDraw.Draw(image)
    inner, y = WIDTH_PX - 2 * MARGIN_PX, MARGIN_PX
    with FONT.open("rb") as file:
        data = file.read()
    for line, height in zip(lines, heights, strict=True):
        font = fonts.get(line.size)
        if font is None:
            font = fonts[line.size] = ImageFont.truetype(io.BytesIO(data), line.size)
            font.set_variation_by_axes([width, weight])
        for words, end in line.cells:
            length = draw.textlength(words, font)
            if line.centred:
                x = (WIDTH_PX - length) / 2
            else:
                x = MARGIN_PX if end == 0 else MARGIN_PX + inner * end - length
            draw.text((x, y), words, 20, font)
        y += height
    return image


def photographed(image: Image.Image, seed: int) -> Image.Image:
    """The paper, crumpled a little, on a table, seen from an angle in uneven light, and not quite in focus."""
    rng = random.Random(seed * 7 + 1)  # noqa: S311 - no secret
    paper = _crumpled(image, rng)
    border = 60
    scene = Image.new("L", (paper.width + 2 * border, paper.height + 2 * border), 95)
    scene.paste(paper, (border, border))
    width, height = scene.size

    def shift() -> float:
        return rng.uniform(-0.025, 0.025)

    corners = (
        (width * shift(), height * shift()),
        (width * shift(), height * (1 + shift())),
        (width * (1 + shift()), height * (1 + shift())),
        (width * (1 + shift()), height * shift()),
    )
    quad = tuple(value for corner in corners for value in corner)
    seen = scene.transform(
        (width, height), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC, fillcolor=95
    )
    seen = seen.rotate(rng.uniform(-2.5, 2.5), Image.Resampling.BICUBIC, expand=True, fillcolor=95)
    light = _light(seen.size, rng)
    seen = ImageChops.multiply(seen, light).filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 0.9)))
    noise = Image.effect_noise(seen.size, rng.uniform(12, 26))
    seen = ImageChops.add(seen, noise, scale=1, offset=-128)
    file = io.BytesIO()
    seen.save(file, "JPEG", quality=rng.randrange(55, 80))
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def _crumpled(image: Image.Image, rng: random.Random) -> Image.Image:
    """Folds: pieces of the paper moved by a few pixels, with soft shadows along them."""
    columns, rows = 4, 8
    points = [
        [
            (x / columns * image.width + rng.uniform(-4, 4), y / rows * image.height + rng.uniform(-4, 4))
            for x in range(columns + 1)
        ]
        for y in range(rows + 1)
    ]
    mesh = []
    for row in range(rows):
        for column in range(columns):
            box = (
                image.width * column // columns,
                image.height * row // rows,
                image.width * (column + 1) // columns,
                image.height * (row + 1) // rows,
            )
            corners = (
                points[row][column],
                points[row + 1][column],
                points[row + 1][column + 1],
                points[row][column + 1],
            )
            mesh.append((box, tuple(value for corner in corners for value in corner)))
    bent = image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BICUBIC, fillcolor=255)
    shadows = Image.new("L", image.size, 255)
    draw = ImageDraw.Draw(shadows)
    for _ in range(5):
        y = rng.randrange(image.height)
        draw.line(
            (0, y, image.width, y + rng.randrange(-80, 80)), rng.randrange(150, 210), rng.randrange(4, 14)
        )
    return ImageChops.multiply(bent, shadows.filter(ImageFilter.GaussianBlur(9)))


def _light(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """Brighter on one side."""
    ramp = Image.linear_gradient("L").resize(size).rotate(rng.choice([0, 90, 180, 270])).resize(size)
    low = rng.randrange(140, 190)
    return ramp.point(lambda value: low + value * (255 - low) // 255)


def jpeg(image: Image.Image) -> bytes:
    """The picture as a phone would send it."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=85)
    return file.getvalue()


def receipt(kind: str, seed: int, *, is_photo: bool) -> tuple[Truth, bytes]:
    """A receipt of the kind, what is on it and its picture: scanned, or photographed after it was crumpled."""
    truth = KINDS[kind](seed)
    image = rendered(truth.lines, seed)
    return truth, jpeg(photographed(image, seed) if is_photo else image)

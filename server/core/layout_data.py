"""What is on the keys of each layout. Made by `make layouts` from xkb-data: do not edit.

A row is its keys from the left, parted by spaces, as on an ISO keyboard: the number row begins with
Backquote, the top row with KeyQ, the home row with KeyA and ends with Backslash, the bottom row
begins with IntlBackslash. A key is its characters: plain, with Shift, with AltGr, with both. ◌ is
nothing, and with a mark the dead key of that mark. Licence: layout_data.LICENSE.md.
"""

# name -> title, shape, rows
KEYBOARDS: dict[str, tuple[str, str, tuple[str, str, str, str]]] = {
    "qwerty": (
        "QWERTY",
        "ansi",
        (
            "`~ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+",
            "qQ wW eE rR tT yY uU iI oO pP [{ ]}",
            "aA sS dD fF gG hH jJ kK lL ;: '\" \\|",
            "◌ zZ xX cC vV bB nN mM ,< .> /?",
        ),
    ),
    "dvorak": (
        "Dvorak",
        "ansi",
        (
            "`~◌̀◌̃ 1! 2@ 3# 4$ 5% 6^◌̂◌̂ 7& 8* 9(◌̀◌̆ 0) [{ ]}◌̃",
            "'\"◌́◌̈ ,<◌̧◌̌ .>◌̇· pP yY fF gG cC rR lL /? =+",
            "aA oO eE uU iI dD hH tT nN sS -_ \\|",
            "◌ ;:◌̨◌̋ qQ jJ kK xX bB mM wW vV zZ",
        ),
    ),
    "colemak": (
        "Colemak",
        "ansi",
        (
            "`~◌̃~ 1!¡¹ 2@º² 3#ª³ 4$¢£ 5%€¥ 6^ħĦ 7&ðÐ 8*þÞ 9(‘“ 0)’” -_–— =+×÷",
            "qQäÄ wWåÅ fFãÃ pPøØ gG◌̨~ jJđĐ lLłŁ uUúÚ yYüÜ ;:öÖ [{«‹ ]}»›",
            "aAáÁ rR◌̀~ sSßẞ tT◌́◌̋ dD◌̈~ hH◌̌~ nNñÑ eEéÉ iIíÍ oOóÓ '\"õÕ \\|~~",
            "◌ zZæÆ xX◌̂~ cCçÇ vVœŒ bB◌̆~ kK◌̊~ mM◌̄~ ,<◌̧~ .>◌̇~ /?¿~",
        ),
    ),
    "colemak_dh": (
        "Colemak-DH",
        "ansi",
        (
            "`~◌̃~ 1!¡¹ 2@º² 3#ª³ 4$¢£ 5%€¥ 6^ħĦ 7&ðÐ 8*þÞ 9(‘“ 0)’” -_–— =+×÷",
            "qQäÄ wWåÅ fFãÃ pPøØ bB◌̆~ jJđĐ lLłŁ uUúÚ yYüÜ ;:öÖ [{«‹ ]}»›",
            "aAáÁ rR◌̀~ sSßẞ tT◌́◌̋ gG◌̨~ mM◌̄~ nNñÑ eEéÉ iIíÍ oOóÓ '\"õÕ \\|~~",
            "◌ xX◌̂~ cCçÇ dD◌̈~ vVœŒ zZæÆ kK◌̊~ hH◌̌~ ,<◌̧~ .>◌̇~ /?¿~",
        ),
    ),
    "workman": (
        "Workman",
        "ansi",
        (
            "`~ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+",
            "qQ dD rR wW bB jJ fF uU pP ;: [{ ]}",
            "aA sS hH tT gG yY nN eE oO iI '\" \\|",
            "◌ zZ xX mM cC vV kK lL ,< .> /?",
        ),
    ),
    "uk": (
        "UK QWERTY",
        "iso",
        (
            '`¬|| 1!¹¡ 2"²⅛ 3£³£ 4$€¼ 5%½⅜ 6^¾⅝ 7&{⅞ 8*[™ 9(]± 0)}° -_\\¿ =+◌̧◌̨',
            "qQ@Ω wWſ§ eEeE rR¶® tTŧŦ yY←¥ uU↓↑ iI→ı oOøØ pPþÞ [{◌̈◌̊ ]}◌̃◌̄",
            "aAæÆ sSßẞ dDðÐ fFđª gGŋŊ hHħĦ jJ◌̉◌̛ kKĸ& lLłŁ ;:◌́◌̋ '@◌̂◌̌ #~◌̀◌̆",
            "\\||¦ zZ«< xX»> cC¢© vV„‚ bB“‘ nN”’ mMµº ,<•× .>·÷ /?◌̣◌̇",
        ),
    ),
    "azerty": (
        "AZERTY",
        "iso",
        (
            "² &1 é2~ \"3# '4{ (5[ -6| è7` _8\\ ç9^ à0@ )°] =+}",
            "aA zZ eE€ rR tT yY uU iI oO pP ◌̂◌̈ $£¤",
            "qQ sS dD fF gG hH jJ kK lL mM ù% *µ",
            "<> wW xX cC vV bB nN ,? ;. :/ !§",
        ),
    ),
    "qwertz": (
        "QWERTZ",
        "iso",
        (
            '◌̂°′″ 1!¹¡ 2"²⅛ 3§³£ 4$¼¤ 5%½⅜ 6&¬⅝ 7/{⅞ 8([™ 9)]± 0=}° ß?\\¿ ◌́◌̀◌̧◌̨',
            "qQ@Ω wWſ§ eE€€ rR¶® tTŧŦ zZ←¥ uU↓↑ iI→ı oOøØ pPþÞ üÜ◌̈◌̊ +*~¯",
            "aAæÆ sSſẞ dDðÐ fFđª gGŋŊ hHħĦ jJ◌̣◌̇ kKĸ& lLłŁ öÖ◌̋◌̣ äÄ◌̂◌̌ #'’◌̆",
            "<>|◌̱ yY»› xX«‹ cC¢© vV„‚ bB“‘ nN”’ mMµº ,;·× .:…÷ -_–—",
        ),
    ),
    "spanish": (
        "Español",
        "iso",
        (
            "ºª\\\\ 1!|¡ 2\"@⅛ 3·#£ 4$~$ 5%½⅜ 6&¬⅝ 7/{⅞ 8([™ 9)]± 0=}° '?\\¿ ¡¿◌̧◌̨",
            "qQ wWſ§ eE€¢ rR¶® tTŧŦ yY←¥ uU↓↑ iI→ı oOøØ pPþÞ ◌̀◌̂[◌̊ +*]◌̄",
            "aAæÆ sSßẞ dDðÐ fFđª gGŋŊ hHħĦ jJ◌̉◌̛ kKĸ& lLłŁ ñÑ◌̃◌̋ ◌́◌̈{◌̌ çÇ}◌̆",
            "<>|¦ zZ«< xX»> cC¢© vV„‚ bB“‘ nN”’ mMµº ,;•× .:·÷ -_◌̣◌̇",
        ),
    ),
    "polish": (
        "Polski",
        "ansi",
        (
            "`~¬∨ 1!≠¡ 2@²¿ 3#³£ 4$¢¼ 5%€‰ 6^½∧ 7&§≈ 8*·¾ 9(«± 0)»° -_–— =+◌̧◌̨",
            "qQπΩ wWœŒ eEęĘ rR©® tTß™ yY←¥ uU↓↑ iI→↔ oOóÓ pPþÞ [{◌̈◌̊ ]}◌̃◌̄",
            "aAąĄ sSśŚ dDðÐ fFæÆ gGŋŊ hH’• jJəƏ kK… lLłŁ ;:◌́◌̋ '\"◌̂◌̌ \\|◌̀◌̆",
            "◌ zZżŻ xXźŹ cCćĆ vV„‘ bB”“ nNńŃ mMµ∞ ,<≤× .>≥÷ /?◌̣◌̇",
        ),
    ),
    "jcuken": (
        "ЙЦУКЕН",
        "ansi",
        (
            'ёЁ 1! 2" 3№ 4; 5% 6: 7? 8*₽ 9( 0) -_ =+',
            "йЙ цЦ уУ кК еЕ нН гГ шШ щЩ зЗ хХ ъЪ",
            "фФ ыЫ вВ аА пП рР оО лЛ дД жЖ эЭ \\/",
            "◌ яЯ чЧ сС мМ иИ тТ ьЬ бБ юЮ .,",
        ),
    ),
}

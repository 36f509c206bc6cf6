/** server/core/layout_data.py for the pages. Made by `make layouts`: do not edit. */

/**
 * @typedef {object} Keyboard
 * @property {string} title
 * @property {'ansi'|'iso'} shape
 * @property {string[]} languages that it types
 * @property {string[]} rows the characters of each key: plain, with Shift, with AltGr, with both
 */

export const KEYBOARDS = {
  qwerty: {
    title: 'QWERTY',
    shape: 'ansi',
    languages: ['en'],
    rows: [
      '`~ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+',
      'qQ wW eE rR tT yY uU iI oO pP [{ ]}',
      'aA sS dD fF gG hH jJ kK lL ;: \'" \\|',
      '◌ zZ xX cC vV bB nN mM ,< .> /?',
    ],
  },
  dvorak: {
    title: 'Dvorak',
    shape: 'ansi',
    languages: ['en', 'fr', 'es'],
    rows: [
      '`~◌̀◌̃ 1! 2@ 3# 4$ 5% 6^◌̂◌̂ 7& 8* 9(◌̀◌̆ 0) [{ ]}◌̃',
      '\'"◌́◌̈ ,<◌̧◌̌ .>◌̇· pP yY fF gG cC rR lL /? =+',
      'aA oO eE uU iI dD hH tT nN sS -_ \\|',
      '◌ ;:◌̨◌̋ qQ jJ kK xX bB mM wW vV zZ',
    ],
  },
  colemak: {
    title: 'Colemak',
    shape: 'ansi',
    languages: ['en', 'fr', 'de', 'es', 'pl'],
    rows: [
      '`~◌̃~ 1!¡¹ 2@º² 3#ª³ 4$¢£ 5%€¥ 6^ħĦ 7&ðÐ 8*þÞ 9(‘“ 0)’” -_–— =+×÷',
      'qQäÄ wWåÅ fFãÃ pPøØ gG◌̨~ jJđĐ lLłŁ uUúÚ yYüÜ ;:öÖ [{«‹ ]}»›',
      'aAáÁ rR◌̀~ sSßẞ tT◌́◌̋ dD◌̈~ hH◌̌~ nNñÑ eEéÉ iIíÍ oOóÓ \'"õÕ \\|~~',
      '◌ zZæÆ xX◌̂~ cCçÇ vVœŒ bB◌̆~ kK◌̊~ mM◌̄~ ,<◌̧~ .>◌̇~ /?¿~',
    ],
  },
  colemak_dh: {
    title: 'Colemak-DH',
    shape: 'ansi',
    languages: ['en', 'fr', 'de', 'es', 'pl'],
    rows: [
      '`~◌̃~ 1!¡¹ 2@º² 3#ª³ 4$¢£ 5%€¥ 6^ħĦ 7&ðÐ 8*þÞ 9(‘“ 0)’” -_–— =+×÷',
      'qQäÄ wWåÅ fFãÃ pPøØ bB◌̆~ jJđĐ lLłŁ uUúÚ yYüÜ ;:öÖ [{«‹ ]}»›',
      'aAáÁ rR◌̀~ sSßẞ tT◌́◌̋ gG◌̨~ mM◌̄~ nNñÑ eEéÉ iIíÍ oOóÓ \'"õÕ \\|~~',
      '◌ xX◌̂~ cCçÇ dD◌̈~ vVœŒ zZæÆ kK◌̊~ hH◌̌~ ,<◌̧~ .>◌̇~ /?¿~',
    ],
  },
  workman: {
    title: 'Workman',
    shape: 'ansi',
    languages: ['en'],
    rows: [
      '`~ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+',
      'qQ dD rR wW bB jJ fF uU pP ;: [{ ]}',
      'aA sS hH tT gG yY nN eE oO iI \'" \\|',
      '◌ zZ xX mM cC vV kK lL ,< .> /?',
    ],
  },
  uk: {
    title: 'UK QWERTY',
    shape: 'iso',
    languages: ['en', 'fr', 'de', 'es', 'pl'],
    rows: [
      '`¬|| 1!¹¡ 2"²⅛ 3£³£ 4$€¼ 5%½⅜ 6^¾⅝ 7&{⅞ 8*[™ 9(]± 0)}° -_\\¿ =+◌̧◌̨',
      'qQ@Ω wWſ§ eEeE rR¶® tTŧŦ yY←¥ uU↓↑ iI→ı oOøØ pPþÞ [{◌̈◌̊ ]}◌̃◌̄',
      "aAæÆ sSßẞ dDðÐ fFđª gGŋŊ hHħĦ jJ◌̉◌̛ kKĸ& lLłŁ ;:◌́◌̋ '@◌̂◌̌ #~◌̀◌̆",
      '\\||¦ zZ«< xX»> cC¢© vV„‚ bB“‘ nN”’ mMµº ,<•× .>·÷ /?◌̣◌̇',
    ],
  },
  azerty: {
    title: 'AZERTY',
    shape: 'iso',
    languages: ['en', 'fr'],
    rows: [
      '² &1 é2~ "3# \'4{ (5[ -6| è7` _8\\ ç9^ à0@ )°] =+}',
      'aA zZ eE€ rR tT yY uU iI oO pP ◌̂◌̈ $£¤',
      'qQ sS dD fF gG hH jJ kK lL mM ù% *µ',
      '<> wW xX cC vV bB nN ,? ;. :/ !§',
    ],
  },
  qwertz: {
    title: 'QWERTZ',
    shape: 'iso',
    languages: ['en', 'fr', 'de', 'pl'],
    rows: [
      '◌̂°′″ 1!¹¡ 2"²⅛ 3§³£ 4$¼¤ 5%½⅜ 6&¬⅝ 7/{⅞ 8([™ 9)]± 0=}° ß?\\¿ ◌́◌̀◌̧◌̨',
      'qQ@Ω wWſ§ eE€€ rR¶® tTŧŦ zZ←¥ uU↓↑ iI→ı oOøØ pPþÞ üÜ◌̈◌̊ +*~¯',
      "aAæÆ sSſẞ dDðÐ fFđª gGŋŊ hHħĦ jJ◌̣◌̇ kKĸ& lLłŁ öÖ◌̋◌̣ äÄ◌̂◌̌ #'’◌̆",
      '<>|◌̱ yY»› xX«‹ cC¢© vV„‚ bB“‘ nN”’ mMµº ,;·× .:…÷ -_–—',
    ],
  },
  spanish: {
    title: 'Español',
    shape: 'iso',
    languages: ['en', 'fr', 'de', 'es', 'pl'],
    rows: [
      'ºª\\\\ 1!|¡ 2"@⅛ 3·#£ 4$~$ 5%½⅜ 6&¬⅝ 7/{⅞ 8([™ 9)]± 0=}° \'?\\¿ ¡¿◌̧◌̨',
      'qQ wWſ§ eE€¢ rR¶® tTŧŦ yY←¥ uU↓↑ iI→ı oOøØ pPþÞ ◌̀◌̂[◌̊ +*]◌̄',
      'aAæÆ sSßẞ dDðÐ fFđª gGŋŊ hHħĦ jJ◌̉◌̛ kKĸ& lLłŁ ñÑ◌̃◌̋ ◌́◌̈{◌̌ çÇ}◌̆',
      '<>|¦ zZ«< xX»> cC¢© vV„‚ bB“‘ nN”’ mMµº ,;•× .:·÷ -_◌̣◌̇',
    ],
  },
  polish: {
    title: 'Polski',
    shape: 'ansi',
    languages: ['en', 'fr', 'de', 'es', 'pl'],
    rows: [
      '`~¬∨ 1!≠¡ 2@²¿ 3#³£ 4$¢¼ 5%€‰ 6^½∧ 7&§≈ 8*·¾ 9(«± 0)»° -_–— =+◌̧◌̨',
      'qQπΩ wWœŒ eEęĘ rR©® tTß™ yY←¥ uU↓↑ iI→↔ oOóÓ pPþÞ [{◌̈◌̊ ]}◌̃◌̄',
      'aAąĄ sSśŚ dDðÐ fFæÆ gGŋŊ hH’• jJəƏ kK… lLłŁ ;:◌́◌̋ \'"◌̂◌̌ \\|◌̀◌̆',
      '◌ zZżŻ xXźŹ cCćĆ vV„‘ bB”“ nNńŃ mMµ∞ ,<≤× .>≥÷ /?◌̣◌̇',
    ],
  },
  jcuken: {
    title: 'ЙЦУКЕН',
    shape: 'ansi',
    languages: ['ru'],
    rows: [
      'ёЁ 1! 2" 3№ 4; 5% 6: 7? 8*₽ 9( 0) -_ =+',
      'йЙ цЦ уУ кК еЕ нН гГ шШ щЩ зЗ хХ ъЪ',
      'фФ ыЫ вВ аА пП рР оО лЛ дД жЖ эЭ \\/',
      '◌ яЯ чЧ сС мМ иИ тТ ьЬ бБ юЮ .,',
    ],
  },
};

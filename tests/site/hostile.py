"""What people and programs put where a host belongs, each with the code that it gets; a table, not a collection."""

# Names are padded so that the table has every length that matters.
LABEL_63, LABEL_64 = "a" * 63, "a" * 64
NAME_253 = ".".join([LABEL_63, LABEL_63, LABEL_63, "a" * 61])

BAD_HOST = {
    "empty": [""],
    "leading_dash": ["-f", "-.-", "-c 99999", "--help", "-", "--", "-4", "-I eth0", "-w1", "-oProxyCommand=id", "-8.8.8.8"],
    "too_long": [NAME_253 + "a", "a" * 254, "a." * 200, "\u200b" * 300, "%" * 300],
    "label": [LABEL_64, f"{LABEL_64}.example", f"www.{LABEL_64}.example", f"a.{'b' * 100}"],
    "zone": ["fe80::1%eth0", "fe80::1%1", "::1%lo", "127.0.0.1%lo", "8.8.8.8%0a", "8.8.8.8%", "::1%25lo"],
    "number_form": [
        "0", "00", "1", "127.1", "127.0.1", "127.0.0.1.", "0.0", "0x7f000001", "0X7F000001", "0x7f.1", "0x7f.0.0.1",
        "2130706433", "017700000001", "0177.0.0.1", "127.0.0.01", "08.8.8.8", "1.2.3.4.5", "256.1.1.1", "1.1.1.256",
        "999.999.999.999", "4294967296", "4294967295", "99999999999999999999", "0x", "a.0x1", "host.1", "1.1.1", "3232235777",
    ],
    "characters": [
        " ", "  ", " 8.8.8.8", "8.8.8.8 ", "8.8.8.8\n", "\n8.8.8.8", "8.8.8.8\r\n", "8.8.8.8\t", "8.8.8.8\x00",
        "localhost\x00x", "\x00", "localhost\x00.example.com", "a b", "a\tb", "a\x0bb", "a\x1bb", "a\x7fb", "a\x80b", "a\x85b",
        "8.8.8.8;id", "8.8.8.8|id", "8.8.8.8&id", "8.8.8.8&&id", "$(id)", "`id`", "${IFS}", "8.8.8.8>x", "8.8.8.8<x", "*", "?",
        "a'b", 'a"b', "a\\b", "~", "~root", "!", "#", "a#b", "(a)", "{a}", "[a]", "[::1]", "[::]:80", "8.8.8.8:53", "localhost:80",
        "http://8.8.8.8", "https://example.com/", "file:///etc/passwd", "//example.com", "/etc/passwd", "../../etc/passwd",
        "user@example.com", "@", "a=b", "=cmd|' /C calc'!A0", "+1", "a,b", "8.8.8.8,1.1.1.1", "8.8.8.0/24", "<script>alert(1)</script>",
        "{{7*7}}", "{% debug %}", "' OR 1=1 --", "a..b", "..", ".", ".a", "a..", "a-", "%", "a%00b", "%2e%2e", "a-.b", "a.-b", "a.b-",
        "１２７.0.0.1", "１２７．０．０．１", "ⓛocalhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ", "①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1",
        "٣.٣.٣.٣", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "ℓocalhost", "example。com", "a\u200bb", "a\u200db", "a\ufeffb", "a\u00adb",
        "a\u202eb", "\u202elocalhost", "a\u202ab", "a\u2066b", "a\u2069b", "a\u061cb", "\u200flocalhost",
        "a\u0300", "\u0300a", "☃.example", "😀", "😀.example", "a\U000e0001b", "\ud800", "a\udfffb", "\ufffe", "a\u2028b", "a\u2029b",
        "xn--a-.b-", "::ffff:127.0.0.1:", "::1::", ":::", "1::2::3", "12345::", "g::1", "::1/128", "0:0:0:0:0:0:0:0:1", ":",
    ],
    "multicast": ["224.0.0.1", "239.255.255.255", "232.1.1.1", "ff02::1", "ff0e::1", "FF02::2"],
    "broadcast": ["255.255.255.255"],
    "unspecified": ["0.0.0.0", "::", "0:0:0:0:0:0:0:0"],
}  # fmt: skip
BAD_HOST["number_form"] += ["::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1", "::FFFF:10.0.0.1"]

TARGETS = [(host, reason) for reason, hosts in BAD_HOST.items() for host in hosts]

UNKNOWN_HOST = [
    "nosuch.invalid",
    "a.invalid",
    "xn--bcher-kva.invalid",
    "bücher.invalid",
    "한글.invalid",
    "_x.invalid",
    "१२७.०.०.१",
]

# Unicast, and not what an anonymous visitor of a site on the internet may reach.
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "169.254.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "100.127.255.254", "168.63.129.16", "192.0.0.1", "192.0.0.192",
    "192.0.2.1", "198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1", "192.88.99.1", "240.0.0.1", "255.255.255.254",
    "0.0.0.1", "0.1.2.3", "::1", "::2", "::127.0.0.1", "::7f00:1", "fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "febf::1",
    "fec0::1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
    "2001::1", "2001:0:7f00:1::", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "::ffff:0:127.0.0.1", "localhost",
]  # fmt: skip

# Frames that are no command, each with the code it gets.
BAD_FRAMES = {
    "bad_message": [
        "", " ", "x", "{", "}", "[", "[]", "[{}]", "null", "true", "0", "1.5", "-1", '"my_event"', "NaN", "Infinity", "{'event':1}",
        '{"event":"my_event"', '{"event":"my_event"}}', "\x00", "\ufeff{}", "[" * 5000, '{"a":' * 3000, "9" * 5000, "my_event",
        '{"event":NaN', "{\"event\":\"my_event\",}", "<event/>", "42[\"my_event\"]", "\ud83d", "{\"a\":1e999999999999",
    ],
    "unknown_event": [
        "{}", '{"event":null}', '{"event":1}', '{"event":[]}', '{"event":{}}', '{"event":""}', '{"event":"MY_EVENT"}',
        '{"event":"my_event "}', '{"event":"started"}', '{"event":"server"}', '{"event":"__class__"}', '{"event":"websocket.close"}',
        '{"type":"my_event"}', '{"event":"run.event","text":"x"}', '{"event":"disconnect"}', '{"event":true}', '{"event":NaN}',
    ],
    "bad_value": [
        '{"event":"my_event","host":null}', '{"event":"my_event","host":8}', '{"event":"my_event","host":["8.8.8.8"]}',
        '{"event":"my_event","host":{"a":1}}', '{"event":"my_event","host":true}', '{"event":"my_event","host":NaN}',
        '{"event":"my_event","count":0}', '{"event":"my_event","count":-1}', '{"event":"my_event","count":101}',
        '{"event":"my_event","count":1e9}', '{"event":"my_event","count":5.0}', '{"event":"my_event","count":2.5}',
        '{"event":"my_event","count":"5"}', '{"event":"my_event","count":null}', '{"event":"my_event","count":true}',
        '{"event":"my_event","count":NaN}', '{"event":"my_event","count":Infinity}', '{"event":"my_event","count":[5]}',
        '{"event":"my_event","count":' + "9" * 400 + "}",
        '{"event":"my_event","interval":0}', '{"event":"my_event","interval":0.1}', '{"event":"my_event","interval":-1}',
        '{"event":"my_event","interval":1e400}', '{"event":"my_event","interval":NaN}', '{"event":"my_event","interval":"1"}',
        '{"event":"my_event","interval":-Infinity}', '{"event":"my_event","interval":11}', '{"event":"my_event","interval":false}',
        '{"event":"my_event","timeout":0}', '{"event":"my_event","timeout":NaN}', '{"event":"my_event","timeout":60}',
        '{"event":"my_event","timeout":[]}', '{"event":"my_event","family":4}', '{"event":"my_event","family":"5"}',
        '{"event":"my_event","family":""}', '{"event":"my_event","family":null}', '{"event":"my_event","family":["4"]}',
        '{"event":"resume"}', '{"event":"resume","run":null}', '{"event":"resume","run":1}', '{"event":"resume","run":"x"}',
        '{"event":"resume","run":[]}', '{"event":"resume","run":"\' OR 1=1"}', '{"event":"resume","run":"\ud800"}',
        '{"event":"resume","run":"00000000-0000-0000-0000-000000000000","after":"0"}',
        '{"event":"resume","run":"00000000-0000-0000-0000-000000000000","after":-2}',
        '{"event":"resume","run":"00000000-0000-0000-0000-000000000000","after":1e300}',
        '{"event":"resume","run":"00000000-0000-0000-0000-000000000000","after":NaN}',
    ],
    "too_large": ["x" * 16_385, '{"event":"my_event","host":"' + "a" * 20_000 + '"}', "[" * 30_000, "한" * 6_000],
}  # fmt: skip

// Long: one table, the specification's cases one by one.
namespace Telemetry.Tests.Inputs.LineProtocol;

/// <summary>
/// Bodies and what becomes of them. A reading is written as device|labels|metric|type:value|time in µs; a refused line
/// as its number and the beginning of the reason. Times are of <see cref="DecodingRig.Now"/> where a line has none.
/// </summary>
internal static class LineProtocolCases
{
    public const string Now = "now";

    public static readonly LineCase[] All =
    [
        // The syntax: measurement, tags, fields, timestamp.
        new("the shortest line", "m f=1", "gw-1||m.f|float:1|now"),
        new("a timestamp", "m f=1 1556813561098000000", "gw-1||m.f|float:1|1556813561098000"),
        new(
            "tags and fields", "m,device=d,t1=v1,t2=v2 a=1,b=2 3000", "d|t1=v1,t2=v2|m.a|float:1|3",
            "d|t1=v1,t2=v2|m.b|float:2|3"),
        new("labels are sorted", "m,z=1,b=2,a=3 f=1 0", "gw-1|a=3,b=2,z=1|m.f|float:1|0"),
        new("upper and lower case differ", "M,T=v F=1,f=2 0", "gw-1|T=v|M.F|float:1|0", "gw-1|T=v|M.f|float:2|0"),
        new("two lines", "m f=1 1000\nm f=2 2000", "gw-1||m.f|float:1|1", "gw-1||m.f|float:2|2"),
        new("two lines of one series and time", "m f=1 1000\nm f=2 1000", "gw-1||m.f|float:1|1", "gw-1||m.f|float:2|1"),
        new("a line feed at the end", "m f=1 1000\n", "gw-1||m.f|float:1|1"),
        new(
            "carriage returns", "m f=1 1000\r\nm f=2\r\nm f=3i\r\n", "gw-1||m.f|float:1|1", "gw-1||m.f|float:2|now",
            "!3:field type conflict"),
        new("several spaces between the parts", "m   f=1   1000", "gw-1||m.f|float:1|1"),
        new("spaces and tabs before a line", " \t m f=1 1000", "gw-1||m.f|float:1|1"),
        new("spaces behind a line", "m f=1 1000  ", "gw-1||m.f|float:1|1"),
        new("words of many alphabets", "größe,ort=Zürich 温度=1 0", "gw-1|ort=Zürich|größe.温度|float:1|0"),

        // What there is nothing of.
        new("an empty body", ""),
        new("blank lines", "\n\n  \n\t\r\n"),
        new("a comment", "# m f=1\nm f=2 0", "gw-1||m.f|float:2|0"),
        new("a comment behind spaces", "  # m f=1"),
        new(
            "a comment between lines counts as a line", "m f=1 0\n#\nm f=x", "gw-1||m.f|float:1|0",
            "!3:invalid field value"),
        new("a # inside a line is no comment", "m,t=#1 f=1 0", "gw-1|t=#1|m.f|float:1|0"),

        // Devices.
        new("the device is a tag", "m,host=h,device=d f=1 0", "d|host=h|m.f|float:1|0"),
        new("without it the host is", "m,host=h,x=y f=1 0", "h|x=y|m.f|float:1|0"),
        new("without both the gateway is", "m,x=y f=1 0", "gw-1|x=y|m.f|float:1|0"),

        // Escapes outside of quotes.
        new("a measurement with comma and space", """my\,m\ x,t=v f=1 0""", "gw-1|t=v|my,m x.f|float:1|0"),
        new("an escaped = in a measurement stays as it is", """a\=b f=1 0""", """gw-1||a\=b.f|float:1|0"""),
        new("an = in a measurement", "a=b f=1 0", "gw-1||a=b.f|float:1|0"),
        new("a tag key with comma, = and space", """m,a\,b\=c\ d=v f=1 0""", "gw-1|a,b=c d=v|m.f|float:1|0"),
        new("a tag value with comma, = and space", """m,t=a\,b\=c\ d f=1 0""", "gw-1|t=a,b=c d|m.f|float:1|0"),
        new("a field key with comma, = and space", """m a\,b\=c\ d=1 0""", "gw-1||m.a,b=c d|float:1|0"),
        new("other backslashes are themselves", """m,t=C:\dir f\x=1 0""", """gw-1|t=C:\dir|m.f\x|float:1|0"""),
        new("two backslashes in a tag are two", """m,t=a\\b f=1 0""", """gw-1|t=a\\b|m.f|float:1|0"""),
        new("a backslash before an escaped space", """m,t=a\\ b f=1 0""", """gw-1|t=a\ b|m.f|float:1|0"""),
        new(
            "quotes in measurement, tags and keys are themselves", "\"m\",t=\"v\" \"f\"=1 0",
            "gw-1|t=\"v\"|\"m\".\"f\"|float:1|0"),
        new("single quotes are themselves", "m,t='v' f=1 0", "gw-1|t='v'|m.f|float:1|0"),
        new(
            "the same series, escaped in vain", "m,t=a\\b f=1 0\nm,t=a\\b f=2 0", """gw-1|t=a\b|m.f|float:1|0""",
            """gw-1|t=a\b|m.f|float:2|0"""),

        // Strings.
        new("a string", """m f="text" 0""", "gw-1||m.f|string:text|0"),
        new("an empty string", """m f="" 0""", "gw-1||m.f|string:|0"),
        new("a string without a timestamp", """m f="text" """, "gw-1||m.f|string:text|now"),
        new(
            "comma, space, = in a string", """m f="a, b=c d",g=1 0""", "gw-1||m.f|string:a, b=c d|0",
            "gw-1||m.g|float:1|0"),
        new("a quote in a string", """m f="say \"hi\"" 0""", "gw-1||m.f|string:say \"hi\"|0"),
        new("a backslash in a string", """m f="a\\b" 0""", """gw-1||m.f|string:a\b|0"""),
        new("a backslash at a string's end", """m f="a\\" 0""", """gw-1||m.f|string:a\|0"""),
        new("other backslashes in a string are themselves", """m f="a\nb\," 0""", """gw-1||m.f|string:a\nb\,|0"""),
        new("a line feed in a string", "m f=\"a\nb\" 0\nm g=x", "gw-1||m.f|string:a\nb|0", "!3:invalid field value"),
        new("a string that looks like a comment", "m f=\"\n# x\n\" 0", "gw-1||m.f|string:\n# x\n|0"),
        new("a string that looks like a number", """m f="1" 0""", "gw-1||m.f|string:1|0"),
        new("single quotes make no string", "m f='x' 0", "!1:invalid field value"),
        new(
            "a quote that is never closed", "m f=\"abc\nm f=1 0", "!1:a quote that is not closed",
            "gw-1||m.f|float:1|0"),
        new("something behind a string", """m f="a"b 0""", "!1:something behind a closing quote"),
        new("a string with NUL", "m f=\"a\0b\" 0", "!1:a NUL character in a string"),

        // Numbers.
        new("an integer", "m f=12i,g=-12i,h=0i 0", "gw-1||m.f|int:12|0", "gw-1||m.g|int:-12|0", "gw-1||m.h|int:0|0"),
        new(
            "the greatest integers", "m f=9223372036854775807i,g=-9223372036854775808i 0",
            "gw-1||m.f|int:9223372036854775807|0", "gw-1||m.g|int:-9223372036854775808|0"),
        new("an integer too great", "m f=9223372036854775808i 0", "!1:invalid integer"),
        new("an integer too small", "m f=-9223372036854775809i 0", "!1:invalid integer"),
        new("an integer of forty digits", "m f=1111111111222222222233333333334444444444i 0", "!1:invalid integer"),
        new(
            "an unsigned integer", "m f=18446744073709551615u,g=0u 0", "gw-1||m.f|uint:18446744073709551615|0",
            "gw-1||m.g|uint:0|0"),
        new("an unsigned integer too great", "m f=18446744073709551616u 0", "!1:invalid unsigned"),
        new("an unsigned integer below zero", "m f=-1u 0", "!1:invalid unsigned"),
        new("an integer with a point", "m f=1.0i 0", "!1:invalid integer"),
        new("only the i", "m f=i 0", "!1:invalid integer"),
        new(
            "floats", "m a=1,b=1.5,c=-2.25,d=.5,e=3.,f=00.10 0", "gw-1||m.a|float:1|0", "gw-1||m.b|float:1.5|0",
            "gw-1||m.c|float:-2.25|0", "gw-1||m.d|float:0.5|0", "gw-1||m.e|float:3|0", "gw-1||m.f|float:0.1|0"),
        new(
            "scientific floats", "m a=1e3,b=1E-3,c=-1.5e+2,d=1.234456e+78 0", "gw-1||m.a|float:1000|0",
            "gw-1||m.b|float:0.001|0", "gw-1||m.c|float:-150|0", "gw-1||m.d|float:1.234456E+78|0"),
        new("minus zero", "m f=-0.0 0", "gw-1||m.f|float:-0|0"),
        new(
            "more digits than a float has", "m f=0.1234567890123456789012345 0",
            "gw-1||m.f|float:0.12345678901234568|0"),
        new("a mantissa beyond 2^53", "m f=9007199254740993 0", "gw-1||m.f|float:9007199254740992|0"),
        new("the smallest float", "m f=5e-324 0", "gw-1||m.f|float:5E-324|0"),
        new("a float beyond range", "m f=1e309 0", "!1:a number beyond the range"),
        new("not a number", "m f=NaN 0\nm f=nan 0", "!1:invalid field value", "!2:invalid field value"),
        new(
            "infinities", "m f=Inf 0\nm f=-Inf 0\nm f=+Infinity 0", "!1:invalid field value", "!2:invalid field value",
            "!3:invalid field value"),
        new("a leading plus", "m f=+1 0", "!1:invalid number"),
        new("two points", "m f=1.2.3 0", "!1:invalid number"),
        new("two minus signs", "m f=--1 0", "!1:invalid number"),
        new("an exponent without digits", "m f=1e 0\nm f=1e+ 0", "!1:invalid field value", "!2:invalid field value"),
        new("only a point, only a minus", "m f=. 0\nm f=- 0", "!1:invalid number", "!2:invalid field value"),
        new("hexadecimal", "m f=0x10 0", "!1:invalid number"),

        // Bools.
        new(
            "true in five ways", "m a=t,b=T,c=true,d=True,e=TRUE 0", "gw-1||m.a|bool:1|0", "gw-1||m.b|bool:1|0",
            "gw-1||m.c|bool:1|0", "gw-1||m.d|bool:1|0", "gw-1||m.e|bool:1|0"),
        new(
            "false in five ways", "m a=f,b=F,c=false,d=False,e=FALSE 0", "gw-1||m.a|bool:0|0", "gw-1||m.b|bool:0|0",
            "gw-1||m.c|bool:0|0", "gw-1||m.d|bool:0|0", "gw-1||m.e|bool:0|0"),
        new(
            "bools that are none", "m f=tRUE 0\nm f=yes 0\nm f=truee 0", "!1:invalid field value",
            "!2:invalid field value", "!3:invalid field value"),

        // Timestamps.
        new("nanoseconds are rounded down", "m f=1 1999\nm f=1 -1", "gw-1||m.f|float:1|1", "gw-1||m.f|float:1|-1"),
        new(
            "the first and the last nanosecond", "m f=1 9223372036854775807\nm f=1 -9223372036854775808",
            "gw-1||m.f|float:1|9223372036854775", "gw-1||m.f|float:1|-9223372036854776"),
        new("a timestamp beyond 64 bits", "m f=1 9223372036854775808", "!1:bad timestamp"),
        new("a timestamp with a point", "m f=1 1.5", "!1:bad timestamp"),
        new("a timestamp with an exponent", "m f=1 1e9", "!1:bad timestamp"),
        new("two timestamps", "m f=1 1000 2000", "!1:bad timestamp"),
        new("a quoted timestamp", "m f=1 \"1000\"", "!1:bad timestamp"),

        // What is missing or twice.
        new(
            "no fields", "m\nm \nm,t=v\nm,t=v ", "!1:missing fields", "!2:missing fields", "!3:missing fields",
            "!4:missing fields"),
        new("a timestamp and no fields", "m 1000", "!1:a field without '='"),
        new("no measurement", ",t=v f=1 0", "!1:missing measurement"),
        new("no field key", "m =1 0", "!1:missing field key"),
        new("no field value", "m f= 0\nm f=,g=1 0", "!1:missing field value", "!2:missing field value"),
        new("a comma at the end of the fields", "m f=1, 0", "!1:missing field key"),
        new("no tag key", "m,=v f=1 0", "!1:missing tag key"),
        new(
            "no tag value", "m,t= f=1 0\nm,t f=1 0\nm,t=,u=v f=1 0", "!1:missing tag value", "!2:missing tag value",
            "!3:missing tag value"),
        new("a comma at the end of the tags", "m,t=v, f=1 0", "!1:missing tag key"),
        new("an = in a tag value that is not escaped", "m,t=a=b f=1 0", "!1:an '=' in a tag value"),
        new("duplicate tags", "m,t=a,t=b f=1 0", "!1:duplicate tag 't'"),
        new("duplicate tags of equal values", "m,t=a,t=a f=1 0", "!1:duplicate tag 't'"),
        new("duplicate fields", "m f=1,f=2 0", "!1:duplicate field"),

        // Types.
        new(
            "a field that changes its type", "m f=1 0\nm f=1i 0\nm f=2 0", "gw-1||m.f|float:1|0",
            "!2:field type conflict", "gw-1||m.f|float:2|0"),
        new(
            "another series may have another type", "m,t=1 f=1 0\nm,t=2 f=1i 0", "gw-1|t=1|m.f|float:1|0",
            "gw-1|t=2|m.f|int:1|0"),
        new(
            "a bad field spoils its whole line alone", "m a=1,b=x 0\nm a=2 0", "!1:invalid field value",
            "gw-1||m.a|float:2|0"),
        new(
            "a text behind a bad field is not read as lines", "m a=x,b=\"\nm a=1 0\n\" 0\nm a=2 0",
            "!1:invalid field value", "gw-1||m.a|float:2|0"),
        new(
            "bytes that are no UTF-8", "m,t=\uDC80 f=1 0\nm f=\"\uDC80\" 0", "!1:a name that is not valid UTF-8",
            "!2:a string that is not valid UTF-8"),
        new("NUL in a name", "m\0,t=v f=1 0", "!1:a NUL character in a name"),
    ];
}

/// <summary>A body, and the readings and refused lines that come of it.</summary>
internal sealed record LineCase(string Name, string Body, params string[] Expected)
{
    public override string ToString() => Name;
}

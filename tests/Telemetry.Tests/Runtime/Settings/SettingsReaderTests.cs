using System.Collections;
using Telemetry.Runtime.Settings;

namespace Telemetry.Tests.Runtime.Settings;

public sealed class SettingsReaderTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Values_are_read_by_their_type()
    {
        var reader = Of(
            """
            {
              "number": -5, "bytes": "64 KiB", "span": "1.5 min", "time": "2026-01-31", "flag": true, "choice": "TWO",
              "list": ["a", "b"], "commas": "a, b,", "pairs": { "Sasl": { "User": "U" }, "x.y": 1 }, "text": " t "
            }
            """);

        Assert.Equal(-5, reader.Number("number", 1, -10, 10));
        Assert.Equal(65536, reader.Bytes("bytes", 1, 1, 1 << 20));
        Assert.Equal(90 * Second, reader.Span("span", Second, Second, 100 * Second));
        Assert.Equal(
            new DateTimeOffset(2026, 1, 31, 0, 0, 0, TimeSpan.Zero),
            reader.Time("time", default, DateTimeOffset.MinValue, DateTimeOffset.MaxValue));
        Assert.True(reader.Flag("flag", false));
        Assert.Equal(2, reader.Choice("choice", 1, ("one", 1), ("two", 2)));
        Assert.Equal(["a", "b"], reader.List("list", []));
        Assert.Equal(["a", "b"], reader.List("commas", []));
        Assert.Equal(
            new Dictionary<string, string> { ["sasl.user"] = "U", ["x.y"] = "1" },
            reader.Pairs("pairs").ToDictionary());
        Assert.Equal("t", reader.Text("text"));
        Assert.Equal(" t ", reader.Secret("text"));
        reader.End();
        Assert.Empty(reader.Problems);
    }

    [Fact]
    public void Key_that_is_absent_empty_or_null_has_its_default()
    {
        var reader = Of("""{ "number": "", "span": " ", "flag": null, "list": [] }""");

        Assert.Equal(7, reader.Number("number", 7, 1, 10));
        Assert.Equal(Second, reader.Span("span", Second, Second, Second));
        Assert.True(reader.Flag("flag", true));
        Assert.Equal(["x"], reader.List("list", ["x"]));
        Assert.Equal("d", reader.Text("absent", "d"));
        reader.End();
        Assert.Empty(reader.Problems);
    }

    [Fact]
    public void Every_problem_is_told_by_its_key_with_what_to_use()
    {
        var reader = Of(
            """
            {
              "number": 11, "bytes": "1 MB", "span": "5", "time": "2030-01-01", "flag": "yes", "choice": "three",
              "unknown": 1, "nothing": null
            }
            """);

        reader.Required("gateway");
        reader.Number("number", 1, -10, 10);
        reader.Bytes("bytes", 1, 1024, 64 * 1024 * 1024);
        reader.Span("span", Second, TimeSpan.FromMilliseconds(250), TimeSpan.FromDays(7));
        reader.Time("time", default, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(50));
        reader.Flag("flag", false);
        reader.Choice("choice", 1, ("one", 1), ("two", 2), ("all", 3));
        reader.End();

        Assert.Equal(
            [
                "gateway: is missing",
                "number: '11' is not allowed; use -10 to 10",
                "bytes: '1 MB' is not allowed; use 1 KiB to 64 MiB",
                "span: '5' is not allowed; use 250 ms to 7 d",
                "time: '2030-01-01' is not allowed; use 1970-01-01 to 2020-01-01",
                "flag: 'yes' is not allowed; use true or false",
                "choice: 'three' is not allowed; use one, two or all",
                "nothing: is not a key of this program",
                "unknown: is not a key of this program",
            ],
            reader.Problems);
    }

    [Fact]
    public void Text_of_a_list_stands_over_its_items_as_the_environment_gives_it()
    {
        var reader = new SettingsReader(SettingsTree.Parse(
            """{ "servers": ["a", "b"] }""", "P__", new Hashtable { ["P__SERVERS"] = "c" }));

        Assert.Equal(["c"], reader.List("servers", []));
        reader.End();
        Assert.Empty(reader.Problems);
    }

    [Fact]
    public void Of_a_file_that_cannot_be_read_nothing_else_is_told()
    {
        var reader = Of("{");

        reader.Required("gateway");
        reader.End();

        Assert.StartsWith("configuration: line 1", Assert.Single(reader.Problems), StringComparison.Ordinal);
    }

    private static SettingsReader Of(string json) => new(SettingsTree.Parse(json, "P__", new Hashtable()));
}

using System.Text;
using Telemetry.Processing.Windows;
using Telemetry.Storage.Windows;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Processing.Windows;

public sealed class WindowWidthsFileTests
{
    [Fact]
    public void Sample_has_every_key()
    {
        var file = WindowWidthsFile.Read(Path.Combine(SourceTree.Root, "deploy/windows.json"), out var problems);

        Assert.Empty(problems);
        Assert.Equal(
            [
                new WindowWidth(new("cpu.*"), 300, WindowWidth.Beginning),
                new WindowWidth(new("vibration.*"), 10, 1_796_083_200_000_000, HasQuantiles: true),
            ],
            file!.Entries);
    }

    [Fact]
    public void Every_allowed_width_is_read_as_messages_show_it() => Assert.All(
        WindowWidths.Allowed,
        seconds => Assert.Equal(
            seconds,
            Assert.Single(Parse($$"""{"metric":"m","width":"{{WindowWidth.ShowWidth(seconds)}}"}""", out _)!.Entries)
                .WidthSeconds));

    [Theory]
    [InlineData("2026-12-01", "2026-12-01T00:00:00Z")]
    [InlineData("2026-12-01T10:05Z", "2026-12-01T10:05:00Z")]
    [InlineData("2026-12-01T10:05:00", "2026-12-01T10:05:00Z")]
    [InlineData("2026-12-01T10:05:00+01:00", "2026-12-01T09:05:00Z")]
    [InlineData("1969-12-31T23:55:00Z", "1969-12-31T23:55:00Z")]
    public void Times_are_read_as_UTC_unless_they_say_otherwise(string text, string time) => Assert.Equal(
        $"m 10 s from {time}",
        Assert.Single(Parse($$"""{"metric":"m","width":"10s","validFrom":"{{text}}"}""", out _)!.Entries).ToString());

    [Theory]
    [InlineData("""{"width":"10 s"}""", "entry 1: metric: is missing; use * for every metric")]
    [InlineData(
        """{"metric":"","width":"10 s"}""",
        "entry 1: metric: '' is not allowed; use 1 to 256 bytes without control characters and U+FFFD")]
    [InlineData("""{"metric":"a\u0000","width":"10 s"}""", "entry 1: metric: 'a\0' is not allowed")]
    [InlineData("""{"metric":"a\ufffd","width":"10 s"}""", "entry 1: metric: 'a\ufffd' is not allowed")]
    [InlineData("""{"metric":7,"width":"10 s"}""", "entry 1: metric: must be a string, not a number")]
    [InlineData(
        """{"metric":"m"}""",
        "entry 1: width: is missing; use 1 s, 2 s, 3 s, 5 s, 10 s, 15 s, 20 s, 30 s, 1 min, 100 s, 150 s or 5 min")]
    [InlineData("""{"metric":"m","width":10}""", "entry 1: width: must be a string, not a number")]
    [InlineData("""{"metric":"m","width":"7 s"}""", "entry 1: width: '7 s' is not allowed; use 1 s, ")]
    [InlineData("""{"metric":"m","width":"10 min"}""", "entry 1: width: '10 min' is not allowed; use 1 s, ")]
    [InlineData("""{"metric":"m","width":"500 ms"}""", "entry 1: width: '500 ms' is not allowed; use 1 s, ")]
    [InlineData("""{"metric":"m","width":"-10 s"}""", "entry 1: width: '-10 s' is not allowed; use 1 s, ")]
    [InlineData(
        """{"metric":"m","width":"10 s","quantiles":"yes"}""",
        "entry 1: quantiles: \"yes\" is not allowed; use true or false")]
    [InlineData(
        """{"metric":"m","width":"10 s","validFrom":"2026-12-01T00:01:00Z"}""",
        "entry 1: validFrom: '2026-12-01T00:01:00Z' is not allowed; use a time that is a multiple of 5 minutes")]
    [InlineData(
        """{"metric":"m","width":"10 s","validFrom":"12/01/2026"}""",
        "entry 1: validFrom: '12/01/2026' is not allowed; use a time that is a multiple of 5 minutes")]
    [InlineData(
        """{"metric":"m","width":"10 s","validFrom":""}""", "entry 1: validFrom: '' is not allowed; use a time")]
    [InlineData(
        """{"metric":"m","width":"10 s","validFrom":null}""", "entry 1: validFrom: must be a string, not null")]
    [InlineData(
        """{"metric":"m","width":"10 s","validFrom":"2026-12-01"},{"metric":"n","width":"10 s"}""",
        "entry 2: validFrom: is missing; only entries before the first one with validFrom may leave it out")]
    [InlineData(
        """{"metric":"m","width":"10 s","valid":"2026-12-01"}""",
        "entry 1: valid: is not a known key; known keys: ")]
    [InlineData("""{"metric":"m","metric":"n","width":"10 s"}""", "entry 1: metric: is set more than once")]
    [InlineData("7", "entry 1: must be an object, not a number")]
    public void Wrong_entry_is_told_by_file_entry_and_key_with_what_is_allowed(string entries, string problem)
    {
        Assert.Null(Parse(entries, out var problems));
        Assert.StartsWith($"windows.json: {problem}", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "cannot be read as JSON: ")]
    [InlineData("[]", "must be an object, not an array")]
    [InlineData("{}", "widths: is missing")]
    [InlineData("""{"widths":{}}""", "widths: must be an array, not an object")]
    [InlineData("""{"widths":[],"more":1}""", "more: is not a known key; known keys: widths")]
    public void Wrong_file_is_told(string json, string problem)
    {
        Assert.Null(WindowWidthsFile.Parse("windows.json", Encoding.UTF8.GetBytes(json), out var problems));
        Assert.Contains(problems, p => p.StartsWith($"windows.json: {problem}", StringComparison.Ordinal));
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        Assert.Null(Parse("""{"metric":"","width":"7 s","validFrom":"x"},{"metrc":"m"},{"metric":"m","width":"1 s"}""",
            out var problems));
        Assert.Equal(
            ["entry 1: metric", "entry 1: width", "entry 1: validFrom", "entry 2: validFrom",
                "entry 2: metric", "entry 2: width", "entry 2: metrc", "entry 3: validFrom"],
            problems.Select(p => string.Join(':', p.Split(':')[1..3]).Trim()));
    }

    [Fact]
    public void Too_many_entries_are_refused()
    {
        var entries = Enumerable.Repeat("""{"metric":"m","width":"1 s"}""", WindowWidthsFile.EntriesMax + 1);
        Assert.Null(Parse(string.Join(',', entries), out var problems));
        Assert.Equal(["windows.json: widths: has 257 entries; use at most 256"], problems);
    }

    private static ConfiguredWidths? Parse(string entries, out IReadOnlyList<string> problems) =>
        WindowWidthsFile.Parse("windows.json", Encoding.UTF8.GetBytes($"{{\"widths\":[{entries}]}}"), out problems);
}

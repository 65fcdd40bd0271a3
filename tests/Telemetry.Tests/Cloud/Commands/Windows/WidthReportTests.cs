using Telemetry.Cloud.Commands.Windows;
using Telemetry.Storage.Postgres.Windows;
using Telemetry.Storage.Windows;

namespace Telemetry.Tests.Cloud.Commands.Windows;

public sealed class WidthReportTests
{
    private readonly StringWriter _output = new() { NewLine = "\n" };

    [Fact]
    public void Metrics_of_an_entry_are_shown_with_a_warning_under_ten_readings_a_window()
    {
        WidthReport.WriteEntries(
            _output,
            [new(new("v.*"), 10, WindowWidth.Beginning), new(new("none"), 300, 0)],
            [new("a", 1, 5, 60), new("v.fast", 2, 6000, 600), new("v.just", 1, 60, 60), new("v.slow", 3, 59, 60)]);

        Assert.Equal(
            """
            entry 1: v.* 10 s from the beginning
              v.slow: 3 series, 9.8 readings a window; WARNING: under 10, a wider window costs less and says as much
              v.just: 1 series, 10 readings a window
              v.fast: 2 series, 100 readings a window
            entry 2: none 5 min from 1970-01-01T00:00:00Z
              no metric that it fits had readings in the last day

            """,
            _output.ToString());
    }

    [Fact]
    public void Only_the_slowest_metrics_are_shown_and_the_others_are_counted()
    {
        WidthReport.WriteEntries(
            _output, [new(new("*"), 60, WindowWidth.Beginning)],
            [.. Enumerable.Range(1, 23).Select(i => new ReadingRate($"m{i}", 1, 1000 - i, 60))]);

        var lines = _output.ToString().TrimEnd().Split('\n');
        Assert.Equal(22, lines.Length);
        Assert.StartsWith("  m23: ", lines[1], StringComparison.Ordinal);
        Assert.Equal("  and 3 more metrics, 0 of them under 10", lines[21]);
    }

    [Fact]
    public void Widths_of_the_database_are_shown_with_who_added_them()
    {
        WidthReport.WriteList(
            _output,
            [new(new(new("v.*"), 100, 0), new DateTime(2026, 12, 1, 10, 0, 7, DateTimeKind.Utc), "host-1")]);

        Assert.Equal(
            """
            entry 1: v.* 100 s from 1970-01-01T00:00:00Z; added 2026-12-01T10:00:07Z by host-1
            other metrics and times: 1 min

            """,
            _output.ToString());
    }
}

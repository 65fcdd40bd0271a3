using System.Globalization;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Windows;

/// <summary>From an event time on, windows of these metrics have this width.</summary>
/// <param name="Metric">The metrics.</param>
/// <param name="WidthSeconds">The width, in seconds: one of <see cref="WindowWidths.Allowed"/>.</param>
/// <param name="ValidFrom">
/// The first event time, in microseconds since 1970 UTC, or <see cref="Beginning"/>. A multiple of five minutes, so
/// that no window of the width before it reaches beyond it.
/// </param>
/// <param name="HasQuantiles">Whether values are counted by size, for quantiles.</param>
public sealed record WindowWidth(NamePattern Metric, int WidthSeconds, long ValidFrom, bool HasQuantiles = false)
{
    /// <summary>The value of <see cref="ValidFrom"/> for an entry that is valid for all times.</summary>
    public const long Beginning = long.MinValue;

    /// <summary>As messages show it: <c>temperature.* 10 s from 2026-12-01T00:00:00Z</c>.</summary>
    public override string ToString() =>
        $"{Metric} {ShowWidth(WidthSeconds)}{(HasQuantiles ? " with quantiles" : "")} from "
        + (ValidFrom == Beginning ? "the beginning" : Show(ValidFrom));

    /// <summary>A width as an entry of the file would have it.</summary>
    public static string ShowWidth(int seconds) => seconds % 60 == 0 ? $"{seconds / 60} min" : $"{seconds} s";

    /// <summary>A time in microseconds since 1970 UTC as an entry of the file would have it.</summary>
    public static string Show(long micros) => DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond)
        .ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

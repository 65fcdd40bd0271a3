using System.Globalization;
using System.Text;
using System.Text.Json;
using Telemetry.Model.Schemas;
using Telemetry.Runtime.Settings;
using Telemetry.Storage.Windows;

namespace Telemetry.Processing.Windows;

/// <summary>
/// Reads a windows file: JSON, in which comments are allowed; deploy/windows.json shows every key. All problems are
/// reported at once; each names the file, the entry and the key, and says what to use.
/// </summary>
public static class WindowWidthsFile
{
    /// <summary>The most entries of a file.</summary>
    public const int EntriesMax = 256;

    private static readonly string[] TimeFormats =
        ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd"];

    /// <summary>Reads a file; null when there are problems.</summary>
    public static ConfiguredWidths? Read(string path, out IReadOnlyList<string> problems) =>
        JsonFile.Read(path, Read, out problems);

    /// <summary>Reads the bytes of a file called <paramref name="name"/>; null when there are problems.</summary>
    public static ConfiguredWidths? Parse(
        string name, ReadOnlyMemory<byte> json, out IReadOnlyList<string> problems) =>
        JsonFile.Parse(name, json, Read, out problems);

    private static ConfiguredWidths Read(JsonElement root, string name, List<string> problems)
    {
        var file = new JsonKeys(root, name, problems);
        var elements = file.List("widths");
        file.End();
        var entries = new List<WindowWidth>();
        if (elements.Count > EntriesMax)
        {
            problems.Add($"{name}: widths: has {elements.Count} entries; use at most {EntriesMax}");
            return new ConfiguredWidths(name, entries);
        }

        var timed = false;
        for (var i = 0; i < elements.Count; i++)
        {
            var before = problems.Count;
            var keys = new JsonKeys(elements[i], $"{name}: entry {i + 1}", problems);
            if (problems.Count > before)
            {
                continue;
            }

            var hasTime = keys.Has("validFrom");
            if (timed && !hasTime)
            {
                keys.Problem(
                    "validFrom",
                    "is missing; only entries before the first one with validFrom may leave it out: they are valid "
                    + "from the beginning");
            }

            timed |= hasTime;
            entries.Add(new WindowWidth(
                Metric(keys), Width(keys), ValidFrom(keys), keys.Flag("quantiles")));
            keys.End();
        }

        return new ConfiguredWidths(name, entries);
    }

    private static NamePattern Metric(JsonKeys keys)
    {
        if (keys.Text("metric") is not { } text)
        {
            if (!keys.Has("metric"))
            {
                keys.Problem("metric", "is missing; use * for every metric");
            }

            return NamePattern.Any;
        }

        // The database cannot store NUL: it shows names that have it with U+FFFD, which would be another name.
        if (text.Length == 0 || Encoding.UTF8.GetByteCount(text) > SeriesDefinition.TextBytesMax
            || text.Any(c => char.IsControl(c) || c == '\uFFFD'))
        {
            keys.Problem(
                "metric",
                $"'{JsonKeys.Shown(text)}' is not allowed; use 1 to {SeriesDefinition.TextBytesMax} bytes without "
                + "control characters and U+FFFD; * stands for any number of characters");
        }

        return new NamePattern(text);
    }

    private static int Width(JsonKeys keys)
    {
        if (keys.Text("width") is not { } text)
        {
            if (!keys.Has("width"))
            {
                keys.Problem("width", $"is missing; use {AllowedWidths()}");
            }

            return WindowWidths.DefaultSeconds;
        }

        foreach (var seconds in WindowWidths.Allowed)
        {
            if (SettingUnits.Span(text) == TimeSpan.FromSeconds(seconds))
            {
                return seconds;
            }
        }

        keys.Problem("width", $"'{JsonKeys.Shown(text)}' is not allowed; use {AllowedWidths()}");
        return WindowWidths.DefaultSeconds;
    }

    private static long ValidFrom(JsonKeys keys)
    {
        if (keys.Text("validFrom") is not { } text)
        {
            return WindowWidth.Beginning;
        }

        if (DateTimeOffset.TryParseExact(
            text, TimeFormats, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
        {
            var micros = (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            if (micros % WindowWidths.ValidFromStep == 0)
            {
                return micros;
            }
        }

        keys.Problem(
            "validFrom",
            $"'{JsonKeys.Shown(text)}' is not allowed; use a time that is a multiple of 5 minutes, such as "
            + "2026-12-01T00:05:00Z");
        return WindowWidth.Beginning;
    }

    private static string AllowedWidths()
    {
        var all = WindowWidths.Allowed.Select(WindowWidth.ShowWidth).ToArray();
        return $"{string.Join(", ", all[..^1])} or {all[^1]}";
    }
}

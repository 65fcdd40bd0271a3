using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Telemetry.Runtime.Settings;

/// <summary>
/// Takes typed values out of a configuration and gathers what is wrong by the name of the key: which key, what is
/// wrong, what is allowed.
/// </summary>
public sealed class SettingsReader(IConfiguration configuration)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Everything that is wrong so far.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>True when the key, or one below it, is set.</summary>
    public bool Has(string key) => configuration.GetSection(Path(key)).Exists();

    /// <summary>The text, or null where none (or an empty one) is set.</summary>
    public string? Text(string key) => Find(key);

    /// <summary>The text; a problem where there is none.</summary>
    public string Required(string key)
    {
        if (Find(key) is { } text)
        {
            return text;
        }

        Problem(key, "is missing; it is needed");
        return "";
    }

    /// <summary>A whole number from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public int Number(string key, int or, int min, int max) => (int)Number(key, (long)or, min, max);

    /// <inheritdoc cref="Number(string, int, int, int)"/>
    public long Number(string key, long or, long min, long max) => Within(key, or, min, max, static text =>
        long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null);

    /// <summary>A number of bytes: <c>65536</c>, <c>64 KiB</c>, <c>256 MiB</c>, <c>2 GiB</c>.</summary>
    public long Bytes(string key, long or, long min, long max) => Within(key, or, min, max, SettingUnits.Bytes);

    /// <summary>A time span: <c>250 ms</c>, <c>1.5 s</c>, <c>5 min</c>, <c>2 h</c>, <c>7 d</c>.</summary>
    public TimeSpan Span(string key, TimeSpan or, TimeSpan min, TimeSpan max)
    {
        if (Find(key) is not { } text)
        {
            return or;
        }

        if (SettingUnits.Span(text) is { } span && span >= min && span <= max)
        {
            return span;
        }

        Problem(
            key, $"'{text}' is not allowed; a time span from {SettingUnits.Show(min)} to {SettingUnits.Show(max)} is "
            + "(250 ms, 1.5 s, 5 min, 2 h, 7 d)");
        return or;
    }

    /// <summary>A time: <c>2026-01-31</c>, <c>2026-01-31T12:00:00Z</c>; UTC unless it says otherwise.</summary>
    public DateTimeOffset Time(string key, DateTimeOffset or, DateTimeOffset min, DateTimeOffset max)
    {
        if (Find(key) is not { } text)
        {
            return or;
        }

        if (DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time)
            && time >= min && time <= max)
        {
            return time;
        }

        Problem(key, string.Create(
            CultureInfo.InvariantCulture,
            $"'{text}' is not allowed; a time from {min:yyyy-MM-dd} to {max:yyyy-MM-dd} is (2026-01-31, "
            + $"2026-01-31T12:00:00Z)"));
        return or;
    }

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public bool Flag(string key, bool or)
    {
        if (Find(key) is not { } text)
        {
            return or;
        }

        if (bool.TryParse(text, out var flag))
        {
            return flag;
        }

        Problem(key, $"'{text}' is not allowed; true and false are");
        return or;
    }

    /// <summary>One of some words.</summary>
    public T Choice<T>(string key, T or, params (string Word, T Value)[] choices)
    {
        if (Find(key) is not { } text)
        {
            return or;
        }

        foreach (var (word, value) in choices)
        {
            if (string.Equals(word, text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        Problem(key, $"'{text}' is not allowed; {string.Join(", ", choices.Select(choice => choice.Word))} are");
        return or;
    }

    /// <summary>A list of texts: a JSON array, or one text with commas.</summary>
    public IReadOnlyList<string> List(string key, IReadOnlyList<string> or)
    {
        _known.Add(key);
        var section = configuration.GetSection(Path(key));
        var items = section.GetChildren().Select(child => child.Value ?? "").ToList();
        for (var i = 0; i < items.Count; i++)
        {
            _known.Add($"{key}.{i}");
        }

        if (!string.IsNullOrWhiteSpace(section.Value))
        {
            items =
                [.. section.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        }

        return items.Count > 0 ? items : or;
    }

    /// <summary>Everything below a key as it is: names in lower case, parts of a name joined by dots.</summary>
    public IReadOnlyDictionary<string, string> Pairs(string key)
    {
        var section = configuration.GetSection(Path(key));
        var pairs = new Dictionary<string, string>();
        foreach (var (path, value) in section.AsEnumerable(makePathsRelative: true))
        {
            if (value is not null && path.Length > 0)
            {
                _known.Add($"{key}.{path.Replace(':', '.')}");
                pairs[path.Replace(':', '.').ToLowerInvariant()] = value;
            }
        }

        return pairs;
    }

    /// <summary>Notes what is wrong with a key.</summary>
    public void Problem(string key, string what) => Problems.Add($"{key}: {what}");

    /// <summary>Call it last: keys that nobody asked for are problems.</summary>
    public void End()
    {
        foreach (var (path, value) in configuration.AsEnumerable().OrderBy(
            pair => pair.Key, StringComparer.OrdinalIgnoreCase))
        {
            var key = path.Replace(':', '.');
            if (value is not null && !_known.Contains(key))
            {
                Problem(key, "is no key of this program; see deploy/telemetry.json for all of them");
            }
        }
    }

    private static string Path(string key) => key.Replace('.', ':');

    private string? Find(string key)
    {
        _known.Add(key);
        var text = configuration[Path(key)]?.Trim();
        return string.IsNullOrEmpty(text) ? null : text;
    }

    private long Within(string key, long or, long min, long max, Func<string, long?> parse)
    {
        if (Find(key) is not { } text)
        {
            return or;
        }

        if (parse(text) is { } number && number >= min && number <= max)
        {
            return number;
        }

        Problem(key, $"'{text}' is not allowed; {min} to {max} is");
        return or;
    }
}

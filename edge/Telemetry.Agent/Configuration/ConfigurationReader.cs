using System.Globalization;

namespace Telemetry.Agent.Configuration;

/// <summary>
/// Takes typed values out of a <see cref="ConfigurationTree"/> and gathers what is wrong by the name of the key: a
/// value that is none of its type or range, a key that is missing, a key that nobody knows.
/// </summary>
public sealed class ConfigurationReader
{
    private readonly ConfigurationTree _tree;
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    public ConfigurationReader(ConfigurationTree tree)
    {
        _tree = tree;
        Problems = [.. tree.Problems];
    }

    /// <summary>Everything that is wrong so far.</summary>
    public List<string> Problems { get; }

    /// <summary>True when the section has a key.</summary>
    public bool Has(string section) => _tree.Has(section);

    public string Text(string key, string or) => Find(key, out var text) ? text : or;

    public string Required(string key)
    {
        if (Find(key, out var text) && text.Length > 0)
        {
            return text;
        }

        Problems.Add($"{key}: is missing");
        return "";
    }

    public int Number(string key, int or, int min, int max) =>
        (int)Range(
            key, or, min, max,
            text => int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var n) ? n : null);

    public long Number(string key, long or, long min, long max) =>
        Range(
            key, or, min, max,
            text => long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var n) ? n : null);

    /// <summary>A number of bytes: <c>65536</c>, <c>64 KiB</c>, <c>256 MiB</c>, <c>2 GiB</c>.</summary>
    public long Bytes(string key, long or, long min, long max) => Range(key, or, min, max, ParseBytes);

    /// <summary>A time span: <c>250 ms</c>, <c>1.5 s</c>, <c>5 min</c>, <c>2 h</c>.</summary>
    public TimeSpan Span(string key, TimeSpan or)
    {
        if (!Find(key, out var text))
        {
            return or;
        }

        if (ParseSpan(text) is { } span)
        {
            return span;
        }

        Problems.Add($"{key}: '{text}' is no time span (250 ms, 1.5 s, 5 min, 2 h)");
        return or;
    }

    public bool Flag(string key, bool or)
    {
        if (!Find(key, out var text))
        {
            return or;
        }

        if (bool.TryParse(text, out var flag))
        {
            return flag;
        }

        Problems.Add($"{key}: '{text}' is neither true nor false");
        return or;
    }

    /// <summary>One of an enumeration's names, upper and lower case are the same.</summary>
    public T Choice<T>(string key, T or)
        where T : struct, Enum
    {
        if (!Find(key, out var text))
        {
            return or;
        }

        if (Enum.TryParse<T>(text, ignoreCase: true, out var choice) && Enum.IsDefined(choice))
        {
            return choice;
        }

        var names = Enum.GetNames<T>().Select(name => char.ToLowerInvariant(name[0]) + name[1..]);
        Problems.Add($"{key}: '{text}' is none of {string.Join(", ", names)}");
        return or;
    }

    /// <summary>Notes a problem of a key or a section.</summary>
    public void Problem(string key, string what) => Problems.Add($"{key}: {what}");

    /// <summary>Call it last: keys that nobody asked for are problems.</summary>
    public void End()
    {
        foreach (var key in _tree.Keys.Where(key => !_known.Contains(key)).Order(StringComparer.OrdinalIgnoreCase))
        {
            Problems.Add($"{key}: no such key");
        }
    }

    private bool Find(string key, out string text)
    {
        _known.Add(key);
        return _tree.TryGet(key, out text);
    }

    private long Range(string key, long or, long min, long max, Func<string, long?> parse)
    {
        if (!Find(key, out var text))
        {
            return or;
        }

        if (parse(text) is { } number && number >= min && number <= max)
        {
            return number;
        }

        Problems.Add(string.Create(CultureInfo.InvariantCulture, $"{key}: '{text}' is not within {min} to {max}"));
        return or;
    }

    private static long? ParseBytes(string text)
    {
        (string Unit, long Factor)[] units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
        var (unit, factor) = units.First(u => text.EndsWith(u.Unit, StringComparison.Ordinal));
        return long.TryParse(
            text.AsSpan(0, text.Length - unit.Length).Trim(), NumberStyles.None, CultureInfo.InvariantCulture,
            out var n)
            && n <= long.MaxValue / factor
                ? n * factor
                : null;
    }

    private static TimeSpan? ParseSpan(string text)
    {
        (string Unit, double Seconds)[] units = [("ms", 0.001), ("min", 60), ("h", 3600), ("s", 1)];
        foreach (var (unit, seconds) in units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal))
            {
                var number = text.AsSpan(0, text.Length - unit.Length).Trim();
                return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n)
                    && n < 1e9
                    ? TimeSpan.FromSeconds(n * seconds)
                    : null;
            }
        }

        return null;
    }
}

using System.Globalization;

namespace Telemetry.Runtime.Settings;

/// <summary>
/// Takes typed values out of a <see cref="SettingsTree"/> and gathers all problems by the name of the key: which key,
/// what was found, what is allowed. An empty text is a key that is not set. Call <see cref="End"/> last.
/// </summary>
public sealed class SettingsReader
{
    private readonly SettingsTree _tree;
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Begins with the problems of the tree.</summary>
    public SettingsReader(SettingsTree tree)
    {
        _tree = tree;
        Problems = [.. tree.Problems];
    }

    /// <summary>Everything that is wrong so far, a line each.</summary>
    public List<string> Problems { get; }

    /// <summary>The keys that were asked for.</summary>
    public IReadOnlySet<string> Asked => _known;

    /// <summary>True when a key of the section is set.</summary>
    public bool Has(string section) => _tree.Below(section).Count > 0;

    /// <summary>The text; null when it is not set.</summary>
    public string? Text(string key)
    {
        _known.Add(key);
        var text = _tree.Find(key)?.Trim();
        return string.IsNullOrEmpty(text) ? null : text;
    }

    /// <summary>The text; <paramref name="or"/> when it is not set.</summary>
    public string Text(string key, string or) => Text(key) ?? or;

    /// <summary>A password or token, as it is: blanks at its ends count. Null when it is not set.</summary>
    public string? Secret(string key)
    {
        _known.Add(key);
        var text = _tree.Find(key);
        return string.IsNullOrEmpty(text) ? null : text;
    }

    /// <summary>The text; a problem when it is not set.</summary>
    public string Required(string key)
    {
        if (Text(key) is { } text)
        {
            return text;
        }

        Problem(key, "is missing");
        return "";
    }

    /// <summary>A whole number from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public int Number(string key, int or, int min, int max) => (int)Number(key, (long)or, min, max);

    /// <inheritdoc cref="Number(string, int, int, int)"/>
    public long Number(string key, long or, long min, long max) => Within(
        key, or, min, max, SettingUnits.Number, static number => number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A number of bytes: <c>65536</c>, <c>64 KiB</c>, <c>256 MiB</c>, <c>2 GiB</c>, <c>1 TiB</c>.</summary>
    public long Bytes(string key, long or, long min, long max) =>
        Within(key, or, min, max, SettingUnits.Bytes, SettingUnits.Show);

    /// <summary>A time span: <c>250 ms</c>, <c>1.5 s</c>, <c>5 min</c>, <c>2 h</c>, <c>7 d</c>.</summary>
    public TimeSpan Span(string key, TimeSpan or, TimeSpan min, TimeSpan max) =>
        Within(key, or, min, max, SettingUnits.Span, SettingUnits.Show);

    /// <summary>A time: <c>2026-01-31</c>, <c>2026-01-31T12:00:00Z</c>; UTC unless it says otherwise.</summary>
    public DateTimeOffset Time(string key, DateTimeOffset or, DateTimeOffset min, DateTimeOffset max) => Within(
        key, or, min, max, SettingUnits.Time,
        static time => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    /// <summary>
    /// What <paramref name="parse"/> makes of the text; a problem when that is null, which names what is
    /// <paramref name="allowed"/>.
    /// </summary>
    public T Parsed<T>(string key, T or, Func<string, T?> parse, string allowed)
        where T : struct
    {
        if (Text(key) is not { } text)
        {
            return or;
        }

        if (parse(text) is { } value)
        {
            return value;
        }

        NotAllowed(key, text, allowed);
        return or;
    }

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public bool Flag(string key, bool or) =>
        Parsed<bool>(key, or, static text => bool.TryParse(text, out var flag) ? flag : null, "true or false");

    /// <summary>One of some words, in any case.</summary>
    public T Choice<T>(string key, T or, params (string Word, T Value)[] choices)
    {
        if (Text(key) is not { } text)
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

        var words = choices.Select(choice => choice.Word).ToList();
        NotAllowed(key, text, $"{string.Join(", ", words[..^1])} or {words[^1]}");
        return or;
    }

    /// <summary>A list of texts: a JSON array, or one text with commas.</summary>
    public IReadOnlyList<string> List(string key, IReadOnlyList<string> or)
    {
        if (Text(key) is { } text)
        {
            KnowItems();
            return text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        }

        var items = KnowItems();
        return items.Count > 0 ? items : or;

        List<string> KnowItems()
        {
            var found = new List<string>();
            foreach (var item in _tree.Below(key).Where(name => name.All(char.IsAsciiDigit)))
            {
                found.Add(Text($"{key}.{item}") ?? "");
            }

            return found;
        }
    }

    /// <summary>Everything below a key as it is: names in lower case, parts of a name joined by dots.</summary>
    public IReadOnlyDictionary<string, string> Pairs(string key)
    {
        var pairs = new Dictionary<string, string>();
        foreach (var name in _tree.Below(key))
        {
            _known.Add($"{key}.{name}");
            pairs[name.ToLowerInvariant()] = _tree.Find($"{key}.{name}")!;
        }

        return pairs;
    }

    /// <summary>Notes that the value of a key is not allowed, and which one to use.</summary>
    public void NotAllowed(string key, string value, string use) =>
        Problem(key, $"'{value}' is not allowed; use {use}");

    /// <summary>Notes a problem of a key.</summary>
    public void Problem(string key, string what) => Problems.Add($"{key}: {what}");

    /// <summary>
    /// Notes the keys that nobody asked for. Of a file that could not be read, only this is said: that keys are missing
    /// follows from it.
    /// </summary>
    public void End()
    {
        if (!_tree.IsRead)
        {
            Problems.Clear();
            Problems.AddRange(_tree.Problems);
            return;
        }

        foreach (var key in _tree.Keys.Where(key => !_known.Contains(key)).Order(StringComparer.OrdinalIgnoreCase))
        {
            Problem(key, "is not a key of this program");
        }
    }

    private T Within<T>(string key, T or, T min, T max, Func<string, T?> parse, Func<T, string> show)
        where T : struct, IComparable<T> =>
        Parsed<T>(
            key, or,
            text => parse(text) is { } value && value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0 ? value : null,
            $"{show(min)} to {show(max)}");
}

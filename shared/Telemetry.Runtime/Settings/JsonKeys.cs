using System.Text.Json;

namespace Telemetry.Runtime.Settings;

/// <summary>
/// Reads typed values from one JSON object of a file (<see cref="JsonFile"/>) and records problems by key.
/// <see cref="End"/> reports every key that was not read.
/// </summary>
public sealed class JsonKeys
{
    private readonly Dictionary<string, JsonElement> _values = [];
    private readonly HashSet<string> _known = [];
    private readonly string _where;
    private readonly List<string> _problems;

    /// <summary>
    /// Reads <paramref name="element"/>, which messages call <paramref name="where"/>; one that is not an object is a
    /// problem.
    /// </summary>
    public JsonKeys(JsonElement element, string where, List<string> problems)
    {
        (_where, _problems) = (where, problems);
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{where}: must be an object, not {Kind(element)}");
            return;
        }

        foreach (var property in element.EnumerateObject())
        {
            if (!_values.TryAdd(property.Name, property.Value))
            {
                Problem(property.Name, "is set more than once");
            }
        }
    }

    /// <summary>The keys of the object.</summary>
    public IEnumerable<string> Names => _values.Keys;

    /// <summary>True when the key is set.</summary>
    public bool Has(string key) => _values.ContainsKey(key);

    /// <summary>Records a problem with a key.</summary>
    public void Problem(string key, string what) => _problems.Add($"{_where}: {Shown(key)}: {what}");

    /// <summary>The text of a key; null when the key is missing or is not a string.</summary>
    public string? Text(string key) => Find(key, JsonValueKind.String, "a string")?.GetString();

    /// <summary>The finite number of a key; null when the key is missing or is not a finite number.</summary>
    public double? Number(string key)
    {
        if (Find(key, JsonValueKind.Number, "a number") is not { } element)
        {
            return null;
        }

        if (element.TryGetDouble(out var number) && double.IsFinite(number))
        {
            return number;
        }

        Problem(key, $"{Shown(element.GetRawText())} is not allowed; use a number between -1.79e308 and 1.79e308");
        return null;
    }

    /// <summary>True or false; false when the key is missing or is neither.</summary>
    public bool Flag(string key)
    {
        _known.Add(key);
        if (!_values.TryGetValue(key, out var element))
        {
            return false;
        }

        if (element.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            Problem(key, $"{Shown(element.GetRawText())} is not allowed; use true or false");
        }

        return element.ValueKind == JsonValueKind.True;
    }

    /// <summary>A time span such as <c>30 s</c>.</summary>
    public TimeSpan Span(string key, TimeSpan or, TimeSpan min, TimeSpan max)
    {
        if (Text(key) is not { } text)
        {
            return or;
        }

        if (SettingUnits.Span(text) is { } span && span >= min && span <= max)
        {
            return span;
        }

        Problem(
            key,
            $"'{Shown(text)}' is not allowed; use a time span from {SettingUnits.Show(min)} to "
            + $"{SettingUnits.Show(max)}, such as 250 ms, 1.5 s, 5 min, 2 h or 7 d");
        return or;
    }

    /// <summary>The object of a key; an empty one when the key is missing or is not an object.</summary>
    public JsonKeys Child(string key) =>
        new(Find(key, JsonValueKind.Object, "an object") ?? Empty, $"{_where}: {Shown(key)}", _problems);

    /// <summary>The array of a key; its absence is recorded as a problem.</summary>
    public IReadOnlyList<JsonElement> List(string key)
    {
        if (!_values.ContainsKey(key))
        {
            Problem(key, "is missing");
        }

        return Find(key, JsonValueKind.Array, "an array") is { } array ? [.. array.EnumerateArray()] : [];
    }

    /// <summary>Reports every key that was not read as a problem. Call it last.</summary>
    public void End()
    {
        foreach (var key in _values.Keys.Where(key => !_known.Contains(key)))
        {
            Problem(key, $"is not a known key; known keys: {string.Join(", ", _known)}");
        }
    }

    /// <summary>Shortens a text of the file for a message.</summary>
    public static string Shown(string text) => text.Length <= 80 ? text : $"{text[..80]}…";

    private static JsonElement Empty { get; } = JsonDocument.Parse("{}").RootElement.Clone();

    private JsonElement? Find(string key, JsonValueKind kind, string expected)
    {
        _known.Add(key);
        if (!_values.TryGetValue(key, out var element))
        {
            return null;
        }

        if (element.ValueKind == kind)
        {
            return element;
        }

        Problem(key, $"must be {expected}, not {Kind(element)}");
        return null;
    }

    private static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}

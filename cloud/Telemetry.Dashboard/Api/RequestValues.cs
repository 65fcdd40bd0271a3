using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Dashboard.Api;

/// <summary>Reads the parameters of a request; what is wrong with them is kept in <see cref="Problem"/>.</summary>
internal sealed class RequestValues(HttpRequest request)
{
    private const int TextMax = 512;

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>The first thing that is wrong; null when nothing is.</summary>
    public string? Problem { get; private set; }

    /// <summary>A text; null when it is not given or empty.</summary>
    public string? Text(string name)
    {
        _known.Add(name);
        var text = request.Query[name].ToString();
        if (text.Length > TextMax)
        {
            Problem ??= $"{name} is longer than {TextMax} characters";
        }

        return text.Length is 0 or > TextMax ? null : text;
    }

    /// <summary>A whole number within a range.</summary>
    public int Number(string name, int or, int min, int max)
    {
        if (Text(name) is not { } text)
        {
            return or;
        }

        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            || number < min || number > max)
        {
            Problem ??= $"{name} is not a whole number from {min} to {max}";
            return or;
        }

        return number;
    }

    /// <summary>A time as of RFC 3339; times without an offset are UTC.</summary>
    public DateTime Time(string name, DateTime or)
    {
        if (Text(name) is not { } text)
        {
            return or;
        }

        if (!DateTime.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal,
            out var time))
        {
            Problem ??= $"{name} is not a time such as 2026-12-01T12:00:00Z";
            return or;
        }

        return time;
    }

    /// <summary>One of several words.</summary>
    public T Choice<T>(string name, T or, IReadOnlyDictionary<string, T> words)
    {
        if (Text(name) is not { } text)
        {
            return or;
        }

        if (words.TryGetValue(text, out var value))
        {
            return value;
        }

        Problem ??= $"{name} is none of {string.Join(", ", words.Keys)}";
        return or;
    }

    /// <summary>Any of several words, separated by commas.</summary>
    public IReadOnlyList<T> Choices<T>(string name, IReadOnlyDictionary<string, T> words)
    {
        var chosen = new List<T>();
        foreach (var word in (Text(name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (words.TryGetValue(word, out var value))
            {
                chosen.Add(value);
            }
            else
            {
                Problem ??= $"{name} is none of {string.Join(", ", words.Keys)}";
            }
        }

        return chosen;
    }

    /// <summary>All parameters are read: a further one is a mistake of whoever asks.</summary>
    public void End()
    {
        if (request.Query.Keys.FirstOrDefault(key => !_known.Contains(key)) is { } key)
        {
            Problem ??= $"there is no parameter '{key}'; there are {string.Join(", ", _known)}";
        }
    }
}

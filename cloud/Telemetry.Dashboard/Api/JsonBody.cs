using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Dashboard.Api;

/// <summary>Reads the object of a request; what is wrong with it is kept in <see cref="Problem"/>.</summary>
internal sealed class JsonBody : IDisposable
{
    private readonly JsonDocument? _document;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    private JsonBody(JsonDocument? document, string? problem) => (_document, Problem) = (document, problem);

    /// <summary>The first thing that is wrong; null when nothing is.</summary>
    public string? Problem { get; private set; }

    public static async Task<JsonBody> ReadAsync(HttpRequest request)
    {
        if (request.ContentType?.Split(';')[0].Trim().Equals(
            "application/json", StringComparison.OrdinalIgnoreCase) != true)
        {
            return new JsonBody(null, "the content is not application/json");
        }

        try
        {
            var document = await JsonDocument.ParseAsync(
                request.Body, new JsonDocumentOptions { MaxDepth = 8 }, request.HttpContext.RequestAborted);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonBody(document, null) : new JsonBody(document, "the content is not a JSON object");
        }
        catch (JsonException)
        {
            return new JsonBody(null, "the content is not JSON");
        }
    }

    /// <summary>A text that is not blank; empty where something is wrong with it.</summary>
    public string Text(string name, int max)
    {
        if (Property(name) is not { ValueKind: JsonValueKind.String } value || Decoded(value) is not { } text
            || string.IsNullOrWhiteSpace(text) || text.Length > max)
        {
            Problem ??= $"{name} is not a text of 1 to {max} characters";
            return "";
        }

        return text;
    }

    /// <summary>A whole number, 0 or more.</summary>
    public int Number(string name)
    {
        if (Property(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number)
            && number >= 0)
        {
            return number;
        }

        Problem ??= $"{name} is not a whole number";
        return 0;
    }

    /// <summary>A time as of RFC 3339.</summary>
    public DateTime Time(string name)
    {
        if (Property(name) is { ValueKind: JsonValueKind.String } value && value.TryGetDateTimeOffset(out var time))
        {
            return time.UtcDateTime;
        }

        Problem ??= $"{name} is not a time such as 2026-12-01T12:00:00Z";
        return default;
    }

    /// <summary>An object; null where something is wrong with it.</summary>
    public JsonElement? Object(string name)
    {
        if (Property(name) is { ValueKind: JsonValueKind.Object } value)
        {
            return value;
        }

        Problem ??= $"{name} is not an object";
        return null;
    }

    /// <summary>Something is wrong that only the caller sees.</summary>
    public void Wrong(string problem) => Problem ??= problem;

    /// <summary>The text of a value; null when its escapes are no text, such as half of a pair.</summary>
    public static string? Decoded(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>All properties are read: a further one is a mistake of whoever asks.</summary>
    public void End()
    {
        if (Problem is null && _document!.RootElement.EnumerateObject().Any(p => !_known.Contains(p.Name)))
        {
            Problem = $"there are no properties but {string.Join(", ", _known)}";
        }
    }

    public void Dispose() => _document?.Dispose();

    private JsonElement? Property(string name)
    {
        _known.Add(name);
        return Problem is null && _document!.RootElement.TryGetProperty(name, out var value) ? value : null;
    }
}

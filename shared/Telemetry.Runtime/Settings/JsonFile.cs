using System.Text.Json;
using System.Text.Unicode;

namespace Telemetry.Runtime.Settings;

/// <summary>
/// Reads a file of JSON that an operator wrote: comments and trailing commas are allowed. All problems are reported at
/// once, each with the name of the file. A file with a problem gives nothing.
/// </summary>
public static class JsonFile
{
    /// <summary>The largest file; a larger one is refused without reading it.</summary>
    public const int BytesMax = 1 << 20;

    /// <summary>The most problems reported; further ones are only counted.</summary>
    public const int ProblemsMax = 50;

    private const int DepthMax = 8;

    /// <summary>
    /// Reads a file. <paramref name="read"/> is given the root, the name of the file, and where to add problems. Null
    /// when there are problems.
    /// </summary>
    public static T? Read<T>(
        string path, Func<JsonElement, string, List<string>, T> read, out IReadOnlyList<string> problems)
        where T : class
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            var bytes = new byte[BytesMax + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return Parse(path, bytes.AsMemory(0, length), read, out problems);
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            problems = [$"{path}: cannot be read: {e.Message}"];
            return null;
        }
    }

    /// <summary>Reads the bytes of a file called <paramref name="name"/>; null when there are problems.</summary>
    public static T? Parse<T>(
        string name, ReadOnlyMemory<byte> json, Func<JsonElement, string, List<string>, T> read,
        out IReadOnlyList<string> problems)
        where T : class
    {
        var found = new List<string>();
        var content = Read(name, json, read, found);
        problems = found.Count <= ProblemsMax
            ? found
            : [.. found.Take(ProblemsMax), $"{name}: and {found.Count - ProblemsMax} more problems"];
        return found.Count == 0 ? content : null;
    }

    private static T? Read<T>(
        string name, ReadOnlyMemory<byte> json, Func<JsonElement, string, List<string>, T> read, List<string> problems)
        where T : class
    {
        if (json.Length > BytesMax)
        {
            problems.Add($"{name}: is larger than {BytesMax} bytes; use a file of at most that size");
            return null;
        }

        if (!Utf8.IsValid(json.Span))
        {
            problems.Add($"{name}: is not valid UTF-8");
            return null;
        }

        try
        {
            if (json.Span.StartsWith("\uFEFF"u8))
            {
                json = json[3..];
            }

            var options = new JsonDocumentOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
                MaxDepth = DepthMax,
            };
            using var document = JsonDocument.Parse(json, options);
            return read(document.RootElement, name, problems);
        }
        catch (JsonException e)
        {
            problems.Add($"{name}: cannot be read as JSON: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // JsonElement throws this for an escaped half of a surrogate pair.
            problems.Add($"{name}: contains an escaped string that is not valid Unicode");
        }

        return null;
    }
}

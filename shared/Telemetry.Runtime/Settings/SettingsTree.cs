using System.Collections;
using System.Text.Json;

namespace Telemetry.Runtime.Settings;

/// <summary>
/// The values of a configuration by their keys (<c>section.key</c>, in any case): a JSON file, in which comments and
/// trailing commas are allowed, and over it the environment, where <c>PREFIX__SECTION__KEY</c> sets
/// <c>section.key</c>. The items of an array are <c>key.0</c>, <c>key.1</c> and so on. It is read with
/// System.Text.Json and not with Microsoft.Extensions.Configuration, which stops at the first key that is set twice and
/// takes no notice of a key that is written as <c>"section.key"</c>.
/// </summary>
public sealed class SettingsTree
{
    /// <summary>A larger file is not read, and that is a problem.</summary>
    public const int FileBytesMax = 1024 * 1024;

    private static readonly JsonDocumentOptions Options =
        new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly Dictionary<string, string> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _problems = [];

    private SettingsTree()
    {
    }

    /// <summary>Problems of the file as a whole, and keys that are set twice in it.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>False when the file could not be read: then no value of it is known.</summary>
    public bool IsRead { get; private set; } = true;

    /// <summary>All keys that are set.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>
    /// Reads a file, and over it the variables of <paramref name="environment"/> that begin with
    /// <paramref name="prefix"/>. A file that cannot be read is a problem, not an exception.
    /// </summary>
    public static SettingsTree Load(string file, string prefix, IDictionary environment)
    {
        var path = Path.GetFullPath(file);
        var tree = new SettingsTree();
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.CanSeek && stream.Length > FileBytesMax)
            {
                tree.Unread($"{path}: is larger than {FileBytesMax} bytes");
            }
            else
            {
                tree.AddJson(stream, path);
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            tree.Unread($"{path}: there is no such file; --config FILE names the configuration");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            tree.Unread($"{path}: {e.Message}");
        }

        tree.AddEnvironment(prefix, environment);
        return tree;
    }

    /// <summary>Reads JSON text, which problems call <c>configuration</c>, and the environment over it.</summary>
    public static SettingsTree Parse(string json, string prefix, IDictionary environment)
    {
        var tree = new SettingsTree();
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json));
        tree.AddJson(stream, "configuration");
        tree.AddEnvironment(prefix, environment);
        return tree;
    }

    /// <summary>The value of a key as it is written; null when it is not set. A JSON null is an empty text.</summary>
    public string? Find(string key) => _values.GetValueOrDefault(key);

    /// <summary>The keys below a key, without it and its dot, in the order of their names, items by number.</summary>
    public IReadOnlyList<string> Below(string key) =>
    [
        .. _values.Keys
            .Where(name => name.Length > key.Length && name[key.Length] == '.'
                && name.StartsWith(key, StringComparison.OrdinalIgnoreCase))
            .Select(name => name[(key.Length + 1)..])
            .OrderBy(name => int.TryParse(name, out var number) ? number : int.MaxValue)
            .ThenBy(name => name, StringComparer.OrdinalIgnoreCase),
    ];

    private void Unread(string problem)
    {
        IsRead = false;
        _problems.Add(problem);
    }

    private void AddJson(Stream json, string where)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                Unread($"{where}: is not a JSON object");
                return;
            }

            AddObject(document.RootElement, "", where);
        }
        catch (JsonException e)
        {
            // The message ends with the same numbers, which count from zero.
            var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            var what = end < 0 ? e.Message : e.Message[..end];
            Unread($"{where}: line {e.LineNumber + 1}, position {e.BytePositionInLine + 1}: {what}");
        }
        catch (InvalidOperationException)
        {
            Unread($"{where}: has a text that is not valid UTF-8");
        }
    }

    private void AddObject(JsonElement element, string prefix, string where)
    {
        foreach (var property in element.EnumerateObject())
        {
            Add(prefix + property.Name, property.Value, where);
        }
    }

    private void Add(string key, JsonElement value, string where)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                AddObject(value, key + ".", where);
                break;
            case JsonValueKind.Array:
                var number = 0;
                foreach (var item in value.EnumerateArray())
                {
                    Add($"{key}.{number++}", item, where);
                }

                break;
            default:
                if (!_values.TryAdd(key, Text(value)))
                {
                    _problems.Add($"{key}: is set twice in {where}");
                }

                break;
        }
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };

    private void AddEnvironment(string prefix, IDictionary environment)
    {
        foreach (DictionaryEntry variable in environment)
        {
            var name = (string)variable.Key;
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                _values[name[prefix.Length..].Replace("__", ".", StringComparison.Ordinal)] =
                    (string?)variable.Value ?? "";
            }
        }
    }
}

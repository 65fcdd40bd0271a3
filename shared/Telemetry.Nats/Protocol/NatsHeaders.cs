using System.Collections;
using System.Text;

namespace Telemetry.Nats;

/// <summary>
/// Headers of one message, in order; a name may stand more than once and its case counts. Not thread-safe.
/// Source: NATS ADR-4 (headers like HTTP's, behind the version line <c>NATS/1.0</c>).
/// </summary>
public sealed class NatsHeaders : IEnumerable<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> _entries = [];

    /// <summary>How many entries there are.</summary>
    public int Count => _entries.Count;

    /// <summary>Adds an entry.</summary>
    /// <param name="name">Printable ASCII without a colon, not empty.</param>
    /// <param name="value">Any text without CR and LF; blanks at its ends are lost on the way.</param>
    /// <exception cref="ArgumentException">The name or the value could break out of its line.</exception>
    public NatsHeaders Add(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        if (name.AsSpan().ContainsAnyExceptInRange('!', '~') || name.Contains(':', StringComparison.Ordinal))
        {
            throw new ArgumentException("A header's name is printable ASCII without colon", nameof(name));
        }

        CheckValue(value);
        _entries.Add(new(name, value));
        return this;
    }

    /// <summary>The first value of that name, or null.</summary>
    public string? Find(string name)
    {
        foreach (var entry in _entries)
        {
            if (entry.Key == name)
            {
                return entry.Value;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal static void CheckValue(string value)
    {
        if (value.AsSpan().ContainsAny('\r', '\n'))
        {
            throw new ArgumentException("A header's value has no line breaks", nameof(value));
        }
    }

    /// <summary>Reads a header block; malformed: <see cref="NatsProtocolException"/>.</summary>
    internal static NatsHeaders Read(ReadOnlySpan<byte> block)
    {
        var headers = new NatsHeaders();
        foreach (var (name, value) in new NatsHeaderBlock(block))
        {
            headers._entries.Add(new(Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(value)));
        }

        return headers;
    }
}

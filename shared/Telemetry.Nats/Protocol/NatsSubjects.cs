namespace Telemetry.Nats;

/// <summary>
/// What may stand as a subject on the wire; keeps a caller's text from breaking out of its control line.
/// </summary>
internal static class NatsSubjects
{
    /// <summary>Longest subject taken; a server refuses control lines beyond 4 KiB.</summary>
    public const int BytesMax = 1024;

    /// <summary>Dot-separated tokens, none empty, no blanks or controls, printable ASCII, no wildcards.</summary>
    public static void CheckPublish(string subject)
    {
        Check(subject);
        if (subject.AsSpan().ContainsAny('*', '>'))
        {
            throw new ArgumentException($"Cannot publish on the wildcard subject '{subject}'", nameof(subject));
        }
    }

    /// <summary>What may be subscribed to, and by which group.</summary>
    public static void CheckSubscribe(string subject, string? queueGroup)
    {
        Check(subject);
        if (queueGroup is not null)
        {
            CheckPublish(queueGroup);
        }
    }

    /// <summary>As for publishing, wildcards allowed.</summary>
    public static void Check(string subject)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        var text = subject.AsSpan();
        if (text.Length > BytesMax || text.ContainsAnyExceptInRange('!', '~'))
        {
            throw new ArgumentException(
                $"A subject is at most {BytesMax} characters of printable ASCII without blanks", nameof(subject));
        }

        if (text[0] == '.' || text[^1] == '.' || text.Contains("..", StringComparison.Ordinal))
        {
            throw new ArgumentException($"Subject '{subject}' has an empty token", nameof(subject));
        }
    }

    /// <summary>A stream's or consumer's name: one token, no wildcards, no slashes.</summary>
    public static void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var text = name.AsSpan();
        if (text.Length > 255 || text.ContainsAnyExceptInRange('!', '~') || text.ContainsAny(".*>/\\"))
        {
            throw new ArgumentException($"'{name}' is no name of a stream or consumer", nameof(name));
        }
    }
}

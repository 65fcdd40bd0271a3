namespace Telemetry.Nats;

/// <summary>
/// Base of everything this client throws about its server, its link or its peer. Wrong arguments are
/// ordinary <see cref="ArgumentException"/>s; use after disposal is <see cref="ObjectDisposedException"/>.
/// </summary>
public abstract class NatsException : Exception
{
    private protected NatsException(string message, bool isTransient, Exception? inner = null)
        : base(message, inner)
    {
        IsTransient = isTransient;
    }

    /// <summary>True when the same call may succeed later without anybody changing anything.</summary>
    public bool IsTransient { get; }
}

/// <summary>
/// The link to the server broke or is not there. What the server did with a message that was under way
/// is unknown; it is never sent again by this client.
/// </summary>
public sealed class NatsConnectionException : NatsException
{
    /// <summary>Creates the exception; it is transient unless the connection was closed for good.</summary>
    public NatsConnectionException(string message, Exception? inner = null, bool isTransient = true)
        : base(message, isTransient, inner)
    {
    }

    /// <summary>
    /// What a waiter gets when the link ends for that reason, fresh for each so that stack traces do not mix. Only a
    /// closed connection is final: after anything else, a malformed frame too, the next link may do.
    /// </summary>
    internal static NatsConnectionException Because(NatsException reason) =>
        new(reason.Message, reason, !IsFinal(reason));

    internal static bool IsFinal(NatsException reason) => reason is NatsConnectionException { IsTransient: false };
}

/// <summary>The server refused our credentials. Retried by the reconnect loop, since an operator may mend it.</summary>
public sealed class NatsAuthenticationException : NatsException
{
    /// <summary>Creates the exception with the server's words.</summary>
    public NatsAuthenticationException(string message)
        : base(message, isTransient: false)
    {
    }
}

/// <summary>The peer sent bytes that are no NATS protocol, or beyond a limit. The connection dies of it.</summary>
public sealed class NatsProtocolException : NatsException
{
    /// <summary>Creates the exception with what was wrong on the wire.</summary>
    public NatsProtocolException(string message, Exception? inner = null)
        : base(message, isTransient: false, inner)
    {
    }
}

/// <summary>The server sent <c>-ERR</c> of a kind that ends the connection.</summary>
public sealed class NatsServerErrorException : NatsException
{
    /// <summary>Creates the exception with the text that stood in quotes behind <c>-ERR</c>.</summary>
    public NatsServerErrorException(string serverText, bool isTransient)
        : base($"The server ended the connection: {serverText}", isTransient)
    {
        ServerText = serverText;
    }

    /// <summary>The server's text, e.g. <c>Stale Connection</c>.</summary>
    public string ServerText { get; }
}

/// <summary>One of this client's own timers ran out. What the server did with the request is unknown.</summary>
public sealed class NatsTimeoutException : NatsException
{
    /// <summary>Creates the exception.</summary>
    public NatsTimeoutException(string message, Exception? inner = null)
        : base(message, isTransient: true, inner)
    {
    }
}

/// <summary>
/// Nobody listens on the subject of a request (status 503). The request was delivered to no one.
/// For JetStream: no stream takes the subject, or JetStream is not up (yet).
/// </summary>
public sealed class NatsNoRespondersException : NatsException
{
    /// <summary>Creates the exception.</summary>
    public NatsNoRespondersException(string subject)
        : base($"No responders on '{subject}'", isTransient: true)
    {
        Subject = subject;
    }

    /// <summary>The request's subject.</summary>
    public string Subject { get; }
}

/// <summary>The message is larger than the server's <c>max_payload</c>; nothing was sent.</summary>
public sealed class NatsPayloadTooLargeException : NatsException
{
    /// <summary>Creates the exception; sizes in bytes, headers included.</summary>
    public NatsPayloadTooLargeException(long sizeBytes, long sizeBytesMax)
        : base($"Message of {sizeBytes} bytes exceeds the server's max_payload of {sizeBytesMax}", isTransient: false)
    {
        SizeBytes = sizeBytes;
        SizeBytesMax = sizeBytesMax;
    }

    /// <summary>Headers and payload, in bytes.</summary>
    public long SizeBytes { get; }

    /// <summary>The server's limit, in bytes.</summary>
    public long SizeBytesMax { get; }
}

/// <summary>JetStream answered with an error.</summary>
public sealed class JetStreamException : NatsException
{
    /// <summary>Creates the exception from the error object of a JetStream answer.</summary>
    public JetStreamException(int code, int errorCode, string description)
        : base($"JetStream: {description} (code {code}, err_code {errorCode})", code is 408 or 429 or >= 500)
    {
        Code = code;
        ErrorCode = errorCode;
        Description = description;
    }

    /// <summary>Like an HTTP status: 400 wrong request, 404 not found, 503 unable for now (also: full).</summary>
    public int Code { get; }

    /// <summary>The precise reason; see <see cref="JetStreamErrorCodes"/>. 0 when the server gave none.</summary>
    public int ErrorCode { get; }

    /// <summary>The server's words.</summary>
    public string Description { get; }
}

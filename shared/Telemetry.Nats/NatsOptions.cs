using System.Net.Security;

namespace Telemetry.Nats;

/// <summary>How a <see cref="NatsConnection"/> behaves. Immutable; checked when the connection is made.</summary>
public sealed record NatsOptions
{
    /// <summary>
    /// Servers of one cluster, <c>nats://host[:port]</c> or <c>tls://host[:port]</c>, tried in random order and
    /// then in turn. Credentials do not belong here, since addresses are logged. Default: 127.0.0.1:4222.
    /// </summary>
    public IReadOnlyList<string> Servers { get; init; } = ["nats://127.0.0.1:4222"];

    /// <summary>Name shown in the server's monitoring. Default: none.</summary>
    public string? Name { get; init; }

    /// <summary>User name, with <see cref="Password"/>. Default: none.</summary>
    public string? User { get; init; }

    /// <summary>Password of <see cref="User"/>. Default: none.</summary>
    public string? Password { get; init; }

    /// <summary>Authentication token, instead of user and password. Default: none.</summary>
    public string? Token { get; init; }

    /// <summary>
    /// TLS settings; if set, a server without TLS is refused. TargetHost is filled with the server's host where it
    /// is empty. Default: none (TLS with the system's trust where the server asks for it or the address says tls).
    /// </summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>
    /// How long one server may take until it is ready, TLS included. Default 5 s; then the next is tried.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a request waits for its answer where the call names no time. Default 5 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A PING goes out after this much silence. Default 20 s: keeps idle NAT entries alive.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>PINGs in a row without a byte from the server before the link counts as dead. Default 2.</summary>
    public int PingsUnansweredMax { get; init; } = 2;

    /// <summary>First delay after a round of failed attempts; doubles with each round. Default 100 ms.</summary>
    public TimeSpan ReconnectDelayMin { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest delay between rounds. Default 5 s. Each delay is drawn from its upper half (jitter).</summary>
    public TimeSpan ReconnectDelayMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// True: <see cref="NatsConnection.ConnectAsync"/> keeps trying until it is cancelled. Default false: it fails
    /// when every server was tried once.
    /// </summary>
    public bool KeepTryingAtStart { get; init; }

    /// <summary>
    /// Unsent bytes held at most, in each of two halves. At the limit publishers wait, in order; one message larger
    /// than it goes alone. Default 1 MiB.
    /// </summary>
    public int WriteBufferBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// Largest message accepted from a server, headers included, in bytes; a larger one breaks the connection before
    /// memory is taken for it. Also caps what is published. Default 8 MiB (a server's default max_payload is 1 MiB).
    /// </summary>
    public int MessageBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>Subscriptions at a time; one more throws. Default 100 000 (an ingress has one a session).</summary>
    public int SubscriptionsMax { get; init; } = 100_000;

    /// <summary>
    /// How long disposal may take to hand the server what was published. Default 2 s; then it is cut.
    /// </summary>
    public TimeSpan DisposeTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Source of all time and timers. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// Source of jitter, server order and inbox names. Default: the shared one. A seeded one is used by one thread
    /// at a time.
    /// </summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>True only in simulations: continuations run inline on the thread that completes them.</summary>
    public bool AllowSynchronousContinuations { get; init; }

    /// <summary>Opens the byte stream to a server; tests put pipes here.</summary>
    internal Func<NatsServerAddress, CancellationToken, ValueTask<Stream>>? OpenStream { get; init; }

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first option out of its range.</summary>
    public void Validate()
    {
        if (Servers.Count == 0)
        {
            throw new ArgumentException("Servers is empty", nameof(Servers));
        }

        foreach (var server in Servers)
        {
            NatsServerAddress.Parse(server);
        }

        Positive(ConnectTimeout, nameof(ConnectTimeout));
        Positive(RequestTimeout, nameof(RequestTimeout));
        Positive(PingInterval, nameof(PingInterval));
        Positive(ReconnectDelayMin, nameof(ReconnectDelayMin));
        Positive(DisposeTimeout, nameof(DisposeTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(ReconnectDelayMax, ReconnectDelayMin, nameof(ReconnectDelayMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(PingsUnansweredMax, 1, nameof(PingsUnansweredMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(WriteBufferBytes, 4096, nameof(WriteBufferBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(MessageBytesMax, 4096, nameof(MessageBytesMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(SubscriptionsMax, 1, nameof(SubscriptionsMax));
        if (Token is not null && User is not null)
        {
            throw new ArgumentException("Token and User exclude each other", nameof(Token));
        }
    }

    /// <summary>The servers alone: options get logged, and secrets must not.</summary>
    public override string ToString() => $"NATS {string.Join(", ", Servers)}";

    private static void Positive(TimeSpan value, string name) =>
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
}

/// <summary>One server's address.</summary>
internal sealed record NatsServerAddress(string Host, int Port, bool Tls)
{
    public const int DefaultPort = 4222;

    public static NatsServerAddress Parse(string text)
    {
        var full = text.Contains("://", StringComparison.Ordinal) ? text : "nats://" + text;
        if (!Uri.TryCreate(full, UriKind.Absolute, out var uri) || uri.Scheme is not ("nats" or "tls")
            || uri.Host.Length == 0)
        {
            throw new ArgumentException($"Servers: '{text}' is no nats://host:port or tls://host:port", nameof(text));
        }

        if (uri.UserInfo.Length > 0)
        {
            throw new ArgumentException("Servers: credentials belong into User and Password", nameof(text));
        }

        return new(uri.IdnHost.Trim('[', ']'), uri.Port < 0 ? DefaultPort : uri.Port, uri.Scheme == "tls");
    }

    public override string ToString() => $"{(Tls ? "tls" : "nats")}://{Host}:{Port}";
}

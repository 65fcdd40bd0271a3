using NATS.Client.Core;

namespace Telemetry.Streams.JetStream;

/// <summary>How a process connects to its NATS servers.</summary>
public sealed record NatsOptions
{
    /// <summary>Addresses: <c>nats://host:port</c> or <c>tls://host:port</c>. Tried in random order.</summary>
    public IReadOnlyList<string> Servers { get; init; } = ["nats://127.0.0.1:4222"];

    /// <summary>The name that the server shows for this connection.</summary>
    public string Name { get; init; } = "telemetry";

    /// <summary>User. Default: none.</summary>
    public string? User { get; init; }

    /// <summary>Password of <see cref="User"/>. Default: none.</summary>
    public string? Password { get; init; }

    /// <summary>Token, in place of user and password. Default: none.</summary>
    public string? Token { get; init; }

    /// <summary>How long a hello waits for its confirmation. Default 5 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The most appends that wait for their acknowledgement; at the limit further ones wait. Default 4096.
    /// </summary>
    public int AppendsInFlightMax { get; init; } = 4096;

    /// <summary>Source of time for time limits. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How often the link is checked: after two checks without an answer it counts as broken.</summary>
    internal TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Throws an <see cref="ArgumentException"/> that names the first option out of its range.</summary>
    public void Validate()
    {
        if (Servers.Count == 0)
        {
            throw new ArgumentException("Servers is empty", nameof(Servers));
        }

        foreach (var server in Servers)
        {
            Check(server);
        }

        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(
            RequestTimeout, TimeSpan.Zero, nameof(RequestTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(AppendsInFlightMax, 1, nameof(AppendsInFlightMax));
        if (Token is not null && User is not null)
        {
            throw new ArgumentException("Token and User exclude each other", nameof(Token));
        }
    }

    /// <summary>The servers only: options are logged, and secrets must not be.</summary>
    public override string ToString() => $"NATS {string.Join(", ", Servers)}";

    internal NatsOpts ForLibrary() => NatsOpts.Default with
    {
        Url = string.Join(',', Servers),
        Name = Name,
        AuthOpts = new NatsAuthOpts { Username = User, Password = Password, Token = Token },
        RequestTimeout = RequestTimeout,
        CommandTimeout = RequestTimeout,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PingInterval = PingInterval,
        MaxPingOut = 2,
        ReconnectWaitMin = TimeSpan.FromMilliseconds(100),
        ReconnectWaitMax = TimeSpan.FromSeconds(5),

        // An operator may correct the credentials.
        IgnoreAuthErrorAbort = true,
        PublishTimeoutOnDisconnected = true,
        RequestReplyMode = NatsRequestReplyMode.Direct,
        InboxPrefix = "_INBOX.request",
        WriterBufferSize = 1024 * 1024,
        MaxPayloadHardCap = 8 * 1024 * 1024,
    };

    private static void Check(string server)
    {
        var full = server.Contains("://", StringComparison.Ordinal) ? server : "nats://" + server;
        if (!Uri.TryCreate(full, UriKind.Absolute, out var uri) || uri.Scheme is not ("nats" or "tls")
            || uri.Host.Length == 0)
        {
            throw new ArgumentException(
                $"Servers: '{server}' is not allowed; use nats://host:port or tls://host:port", nameof(server));
        }

        if (uri.UserInfo.Length > 0)
        {
            throw new ArgumentException(
                "Servers: credentials are not allowed in it; use User and Password", nameof(server));
        }
    }
}

using Telemetry.Alerting.Routes;

namespace Telemetry.Alerting.Webhooks;

/// <summary>One receiver of alerts by HTTP.</summary>
public sealed record Webhook
{
    /// <summary>Unique; its position and its dead letters have it.</summary>
    public required string Name { get; init; }

    /// <summary>Where events are posted.</summary>
    public required Uri Url { get; init; }

    /// <summary>
    /// The secrets that events are signed with: each gives a signature, so that a receiver can change to another one.
    /// </summary>
    public required IReadOnlyList<byte[]> Secrets { get; init; }

    /// <summary>The transitions that are sent. Late ones are not, unless it asks for them.</summary>
    public TransitionMatch Match { get; init; } = new() { Late = false };

    /// <summary>
    /// Events of a minute; further ones are told by one summary when the minute is over. 0: no limit.
    /// </summary>
    public int PerMinute { get; init; } = 30;

    /// <summary>An event that is not taken for so long becomes a dead letter.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long one request may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>What all webhooks have in common.</summary>
public sealed record WebhookOptions
{
    /// <summary>The webhooks.</summary>
    public IReadOnlyList<Webhook> Webhooks { get; init; } = [];

    /// <summary>The process's name in leases.</summary>
    public string Owner { get; init; } = "";

    /// <summary>CloudEvents' source.</summary>
    public string Source { get; init; } = "/telemetry";

    /// <summary>How often the outbox is looked at.</summary>
    public TimeSpan PollEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>For how long a webhook stays a silent process's.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The pause after a first error, and the longest one.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan RetryAfterMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The time in which <see cref="Webhook.PerMinute"/> events are sent.</summary>
    public TimeSpan BrakeTime { get; init; } = TimeSpan.FromMinutes(1);
}

using System.Net.Http.Headers;
using System.Text;

namespace Telemetry.Alerting.Alertmanager;

/// <summary>Which Alertmanagers are told of alerts, and how.</summary>
public sealed record AlertmanagerOptions
{
    /// <summary>Their addresses: what comes before <c>/api/v2/alerts</c>. Each is told everything.</summary>
    public IReadOnlyList<Uri> Servers { get; init; } = [];

    /// <summary>Name and password for basic authentication; empty: none.</summary>
    public string User { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>A bearer token; empty: none.</summary>
    public string Token { get; init; } = "";

    /// <summary>What requests carry; null: nothing.</summary>
    public AuthenticationHeaderValue? Authorization => this switch
    {
        { Token.Length: > 0 } => new("Bearer", Token),
        { User.Length: > 0 } => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"))),
        _ => null,
    };

    /// <summary>The dashboard's address as people reach it; null: alerts have no link.</summary>
    public Uri? Dashboard { get; init; }

    /// <summary>How often it is looked for changes, which are sent at once.</summary>
    public TimeSpan PollEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often all alerts are sent.</summary>
    public TimeSpan ResendEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long an Alertmanager keeps an open alert that is not sent again.</summary>
    public TimeSpan EndsAfter { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>How long after its change a resolved alert is sent.</summary>
    public TimeSpan ResolvedFor { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How long after the last late alert became known the summary of an outage stays; late alerts with a longer pause
    /// between them are two outages.
    /// </summary>
    public TimeSpan SummaryFor { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a summary waits for the rules that are still being run again.</summary>
    public TimeSpan SummaryPatience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Alerts of one request.</summary>
    public int BatchMax { get; init; } = 500;

    /// <summary>How long one request may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pause after a first error; it doubles up to <see cref="ResendEvery"/>.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);
}

namespace Telemetry.Cloud.Commands.Webhooks;

/// <summary>What the command <c>webhooks</c> was asked for.</summary>
internal sealed record WebhookArguments
{
    /// <summary><c>list</c>, <c>show</c>, <c>retry</c> or <c>discard</c>.</summary>
    public required string Verb { get; init; }

    /// <summary>The dead letters named by id.</summary>
    public IReadOnlyList<long> Ids { get; init; } = [];

    /// <summary>Those of a webhook; null: of none, or to be listed of all.</summary>
    public string? Webhook { get; init; }
}

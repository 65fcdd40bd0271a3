namespace Telemetry.Cloud.Commands.Forks;

/// <summary>What the command <c>forks</c> was asked for: a list without a gateway, or to resolve its forks.</summary>
internal sealed record ForkArguments
{
    /// <summary>Whose forks are resolved; null: all forks are listed.</summary>
    public string? Gateway { get; init; }

    /// <summary>What the fork was.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The operator's words.</summary>
    public string Note { get; init; } = "";
}

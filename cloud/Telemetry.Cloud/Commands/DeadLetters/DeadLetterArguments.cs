using Telemetry.Storage.Postgres.DeadLetters;

namespace Telemetry.Cloud.Commands.DeadLetters;

/// <summary>What the command <c>dead-letters</c> was asked for.</summary>
internal sealed record DeadLetterArguments
{
    /// <summary><c>list</c>, <c>show</c>, <c>retry</c> or <c>discard</c>.</summary>
    public required string Verb { get; init; }

    /// <summary>The letters named by id.</summary>
    public IReadOnlyList<long> Ids { get; init; } = [];

    /// <summary>The others.</summary>
    public DeadLetterFilter Filter { get; init; } = new();

    /// <summary>Why letters are discarded, in the operator's words.</summary>
    public string Note { get; init; } = "";
}

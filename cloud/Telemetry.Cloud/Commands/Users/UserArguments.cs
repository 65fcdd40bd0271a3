using Telemetry.Storage.Access;

namespace Telemetry.Cloud.Commands.Users;

/// <summary>What the command <c>user</c> was asked for.</summary>
internal sealed record UserArguments
{
    /// <summary>
    /// <c>list</c>, <c>add</c>, <c>remove</c>, <c>password</c>, <c>disable</c>, <c>enable</c> or <c>token</c>.
    /// </summary>
    public required string Verb { get; init; }

    /// <summary>The user's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>What a new user may do.</summary>
    public UserRole Role { get; init; }

    /// <summary>What a new user may see; empty for all sites.</summary>
    public IReadOnlyList<string> Sites { get; init; } = [];

    /// <summary>What a token is for.</summary>
    public string Note { get; init; } = "";

    /// <summary>How long a token holds.</summary>
    public TimeSpan Lasts { get; init; }
}

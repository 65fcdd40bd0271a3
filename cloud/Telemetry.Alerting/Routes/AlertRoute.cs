namespace Telemetry.Alerting.Routes;

/// <summary>How much of a transition a topic gets.</summary>
public enum AlertForm : byte
{
    /// <summary>The whole transition.</summary>
    Full = 0,

    /// <summary>Which alert changed and how, without values: a consumer asks for the rest.</summary>
    Thin = 1,
}

/// <summary>One entry of a routes file: the transitions that fit every part go to its topics.</summary>
public sealed record AlertRoute
{
    /// <summary>Unique in its file.</summary>
    public required string Name { get; init; }

    /// <summary>The topics.</summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary>What the topics get.</summary>
    public AlertForm Form { get; init; }

    /// <summary>True: the entries after this one are asked too. False: the first entry that fits is the last.</summary>
    public bool Continue { get; init; }

    /// <summary>The transitions that go to the topics.</summary>
    public TransitionMatch Match { get; init; } = new();
}

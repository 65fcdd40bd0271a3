namespace Telemetry.Cloud.Commands.Windows;

/// <summary>What the command <c>windows</c> was asked for.</summary>
internal sealed record WindowArguments
{
    /// <summary>True: lists the widths in the database. False: checks a file.</summary>
    public bool List { get; init; }

    /// <summary>The file to check; null: the file of the configuration.</summary>
    public string? File { get; init; }

    /// <summary>Whether the file is compared with the database of the configuration.</summary>
    public bool Connect { get; init; }

    /// <summary>True when the command needs the configuration.</summary>
    public bool NeedsConfiguration => List || Connect || File is null;
}

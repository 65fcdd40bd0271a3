namespace Telemetry.Storage.Access;

/// <summary>What a user of the dashboard may do. Each may do what the one before it may.</summary>
public enum UserRole
{
    /// <summary>Look.</summary>
    Viewer,

    /// <summary>Acknowledge and silence alerts, retry dead letters.</summary>
    Operator,

    /// <summary>Whatever else there is.</summary>
    Admin,
}

using System.Text.RegularExpressions;

namespace Telemetry.Alerting.Routes;

/// <summary>What Kafka allows as the name of a topic.</summary>
public static partial class TopicName
{
    /// <summary>The rule in words, for messages.</summary>
    public const string Rule = "1 to 249 letters, digits, dots, underscores and hyphens";

    public static bool IsAllowed(string topic) => Allowed().IsMatch(topic);

    [GeneratedRegex("^[A-Za-z0-9._-]{1,249}$")]
    private static partial Regex Allowed();
}

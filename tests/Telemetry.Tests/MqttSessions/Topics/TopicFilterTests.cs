using Telemetry.MqttSessions.Topics;

namespace Telemetry.Tests.MqttSessions.Topics;

public sealed class TopicFilterTests
{
    // Mostly the examples of MQTT 5.0, 4.7.1.
    [Theory]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player1/ranking", true)]
    [InlineData("sport/tennis/player1/#", "sport/tennis/player10", false)]
    [InlineData("sport/#", "sport", true)]
    [InlineData("#", "a/b", true)]
    [InlineData("sport/tennis/+", "sport/tennis/player1", true)]
    [InlineData("sport/tennis/+", "sport/tennis/player1/ranking", false)]
    [InlineData("sport/+", "sport", false)]
    [InlineData("sport/+", "sport/", true)]
    [InlineData("+/+", "/finance", true)]
    [InlineData("/+", "/finance", true)]
    [InlineData("+", "/finance", false)]
    [InlineData("#", "$SYS/a", false)]
    [InlineData("+/monitor/Clients", "$SYS/monitor/Clients", false)]
    [InlineData("$SYS/#", "$SYS/monitor", true)]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/B", false)]
    [InlineData("a/b", "a", false)]
    [InlineData("a", "a/b", false)]
    [InlineData("+/b/#", "a/b", true)]
    public void Filter_matches_as_the_standard_says(string filter, string topic, bool expected) =>
        Assert.Equal(expected, TopicFilter.Matches(filter, topic));

    [Theory]
    [InlineData("a/+/b/#", true)]
    [InlineData("#", true)]
    [InlineData("+", true)]
    [InlineData("", false)]
    [InlineData("a/b#", false)]
    [InlineData("#/a", false)]
    [InlineData("a+/b", false)]
    [InlineData("+a/b", false)]
    [InlineData("$share/group/a/#", true)]
    [InlineData("$share//a", false)]
    [InlineData("$share/group", false)]
    [InlineData("$share/group/", false)]
    [InlineData("$share/g+/a", false)]
    public void Filter_is_valid_as_the_standard_says(string filter, bool expected) =>
        Assert.Equal(expected, TopicFilter.IsValid(filter));

    [Theory]
    [InlineData("a/b", true)]
    [InlineData("/", true)]
    [InlineData("", false)]
    [InlineData("a/+", false)]
    [InlineData("a/#", false)]
    public void Topic_name_has_no_wildcard(string topic, bool expected) =>
        Assert.Equal(expected, TopicName.IsValid(topic));

    [Fact]
    public void Text_is_limited_to_65535_bytes_of_utf8()
    {
        Assert.True(TopicName.IsValid(new string('a', 65_535)));
        Assert.False(TopicName.IsValid(new string('a', 65_536)));
        Assert.False(TopicName.IsValid(new string('€', 21_846)));
        Assert.Throws<ArgumentException>(() => WireText.Check("\ud800", "topic"));
    }
}

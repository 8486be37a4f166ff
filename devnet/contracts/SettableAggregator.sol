// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// A price aggregator whose answers are written by hand. It speaks Chainlink's AggregatorV2V3 interface and emits the
/// same events as a Chainlink aggregator, so that a bot which listens to AnswerUpdated cannot tell the difference.
contract SettableAggregator {
    struct Round {
        int256 answer;
        uint256 updatedAt;
    }

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    event NewRound(uint256 indexed roundId, address indexed startedBy, uint256 startedAt);

    error NotTransmitter(address caller);
    error NoDataPresent(uint256 roundId);

    uint256 public constant version = 4;
    uint8 public immutable decimals;
    address public immutable owner;
    address public immutable transmitter;
    string public description;
    uint256 public latestRound;

    mapping(uint256 roundId => Round round) private rounds;

    /// @param transmitter_ a second account, beside the deployer, that may write answers
    constructor(uint8 decimals_, string memory description_, int256 answer, address transmitter_) {
        decimals = decimals_;
        description = description_;
        owner = msg.sender;
        transmitter = transmitter_;
        write(answer, block.timestamp);
    }

    /// As Chainlink's plain aggregators say: all callers see a new price at the same time.
    function typeAndVersion() external pure virtual returns (string memory) {
        return "AccessControlledOCR2Aggregator 1.0.0";
    }

    /// @param answer the new price, in units of 10^-decimals
    function setAnswer(int256 answer) external onlyTransmitter {
        write(answer, block.timestamp);
    }

    /// Writes an answer that claims to be older (or newer) than its block: for tests of stale prices.
    function setAnswerAt(int256 answer, uint256 updatedAt) external onlyTransmitter {
        write(answer, updatedAt);
    }

    function latestAnswer() external view returns (int256) {
        return rounds[shownRound()].answer;
    }

    function latestTimestamp() external view returns (uint256) {
        return rounds[shownRound()].updatedAt;
    }

    function getAnswer(uint256 roundId) external view returns (int256) {
        return rounds[roundId].answer;
    }

    function getTimestamp(uint256 roundId) external view returns (uint256) {
        return rounds[roundId].updatedAt;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(uint80(shownRound()));
    }

    /// The round that a caller gets as the latest one.
    function shownRound() internal view virtual returns (uint256) {
        return latestRound;
    }

    function getRoundData(uint80 id)
        public
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        Round memory round = rounds[id];
        if (round.updatedAt == 0) revert NoDataPresent(id);
        return (id, round.answer, round.updatedAt, round.updatedAt, id);
    }

    modifier onlyTransmitter() {
        if (msg.sender != owner && msg.sender != transmitter) revert NotTransmitter(msg.sender);
        _;
    }

    function write(int256 answer, uint256 updatedAt) private {
        uint256 roundId = ++latestRound;
        rounds[roundId] = Round(answer, updatedAt);
        emit NewRound(roundId, msg.sender, updatedAt);
        emit AnswerUpdated(answer, roundId, updatedAt);
    }
}
